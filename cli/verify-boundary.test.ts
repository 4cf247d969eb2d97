import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CHECKS, checksOf, LAYERS } from "../operations/verify/checks.ts";
import { runCli } from "./test-io.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-verify-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** No docker and no network: what is proven here needs neither. */
const run = (...argv: string[]) => runCli(["verify", "boundary", ...argv], { cwd, env: { PATH: cwd } });
const resultsOf = async (...argv: string[]) => {
  const { exit, stdout } = await run(...argv, "--json");
  const { layers, results } = JSON.parse(stdout);
  return { exit, layers, results } as {
    exit: number;
    layers: string[];
    results: { id: string; outcome: string; findings: { code: string; fix: string }[] }[];
  };
};
const useDocker = () => {
  cpSync(join("examples", "single-host", "trustkern.yaml"), join(cwd, "trustkern.yaml"));
  const names = ["backend", "broker", "collector", "custody", "custody-broker", "database", "gateway", "loki"];
  const lines = [...names, "prometheus", "schema", "shipper", "simulator", "step-ca", "probe"].map(
    (name) => `  ${name}: {reference: "trustkern/${name}:0.1.0", digest: "sha256:${"0".repeat(64)}"}\n`,
  );
  writeFileSync(
    join(cwd, "images.lock.yaml"),
    `schema: trustkern.images/1\nsource: packages\nimages:\n${lines.join("")}`,
  );
};
const deployed = () => {
  mkdirSync(join(cwd, ".trustkern", "terraform"), { recursive: true });
  const state = { schema: "trustkern.docker-state/1", tenant: "demo", createdAt: "2026-01-01", ports: {}, volumes: [] };
  writeFileSync(join(cwd, ".trustkern", "deployment.json"), JSON.stringify(state));
};

describe("on the embedded engine", () => {
  it("looks at the model alone, says so, and is not proven", async () => {
    const { exit, stdout } = await run();
    expect(exit).toBe(1);
    expect(stdout).toContain("✓ proven      reachability");
    expect(stdout.replaceAll(/\s+/g, " ")).toMatch(
      /not proven: 4 of \d\d checks are proven, \d\d could not be looked at; looked at: model alone; not looked at: rendered, running, data $/,
    );
    const { layers, results } = await resultsOf();
    expect(layers).toEqual(LAYERS);
    const outcomes = new Set(results.filter(({ id }) => !id.startsWith("model.")).map(({ outcome }) => outcome));
    expect([...outcomes]).toEqual(["not-proven"]);
  });

  it.each(["rendered", "running", "data"])("proves nothing of the layer %s", async (layer) => {
    const { exit, results } = await resultsOf("--layers", layer);
    expect(exit).toBe(1);
    expect(results.map(({ id }) => id)).toEqual(checksOf(layer as (typeof LAYERS)[number]));
    expect(results.every(({ outcome, findings }) => outcome === "not-proven" && findings.length === 1)).toBe(true);
    expect(results[0]?.findings[0]?.code).toBe("ENGINE_NOT_ISOLATED");
  });
});

describe("on the docker engine", () => {
  beforeEach(useDocker);

  it("has one document of every check with --json", async () => {
    const { exit, stdout } = await run("--json");
    expect(exit).toBe(1);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      schema: "trustkern.verify-boundary/1",
      deployment: "single-host",
      tenant: "demo",
      profile: "dev",
      engine: "docker",
      startedAt: "1970-01-01T00:00:00.000Z",
      endedAt: "1970-01-01T00:00:00.000Z",
      layers: LAYERS,
    });
    expect(document.results.map(({ id }: { id: string }) => id)).toEqual(Object.keys(CHECKS));
  });

  it("proves the model, and of the rendered stack all but what was never deployed", async () => {
    const { exit, results } = await resultsOf("--layers", "model,rendered");
    expect(exit).toBe(1);
    expect(results.filter(({ outcome }) => outcome !== "proven")).toMatchObject([
      { id: "rendered.deployed", outcome: "not-proven", findings: [{ code: "NOT_DEPLOYED" }] },
    ]);
  });

  it("proves nothing that runs before a deploy, and says what to do", async () => {
    const { results } = await resultsOf("--layers", "running,data");
    expect(results.every(({ outcome }) => outcome === "not-proven")).toBe(true);
    expect(results[0]?.findings[0]).toMatchObject({ code: "NOT_DEPLOYED" });
    expect(results[0]?.findings[0]?.fix).toContain("trustkern deploy");
  });

  it("proves nothing that runs without a docker client, and shows the other layers all the same", async () => {
    deployed();
    const { exit, results } = await resultsOf();
    expect(exit).toBe(1);
    const running = results.filter(({ id }) => /^(running|data)\./.test(id));
    expect(running.every(({ outcome }) => outcome === "not-proven")).toBe(true);
    expect(running[0]?.findings[0]?.code).toBe("DOCKER_MISSING");
    expect(results.find(({ id }) => id === "model.table")?.outcome).toBe("proven");
  });

  it("ends with 5 for a stack that was weakened on this host, and names place and fix", async () => {
    deployed();
    const file = join(cwd, ".trustkern", "terraform", "cdk.tf.json");
    const stack = JSON.parse((await runCli(["synth"], { cwd, env: { PATH: cwd } })).stdout);
    stack.resource.docker_container["gw-01"].privileged = true;
    writeFileSync(file, JSON.stringify(stack));
    const { exit, stdout } = await run("--layers", "rendered");
    expect(exit).toBe(5);
    expect(stdout).toContain("✗ broken      rights");
    expect(stdout).toContain("cdk.tf.json: resource.docker_container.gw-01.privileged");
    expect(stdout).toContain("[RENDERED_PRIVILEGED]");
    expect(stdout).toMatch(/fix: .+\n/);
    expect(stdout).toMatch(/broken: rendered\.rights, rendered\.deployed; /);
  });

  it("proves nothing of the boundary by one layer, and says which were left out", async () => {
    const { exit, stdout } = await run("--layers", "model");
    expect(exit).toBe(1);
    expect(stdout).toMatch(
      /\nnot proven: 4 of 4 checks are proven; looked at: model alone; not looked at: rendered, running,\s+data\n$/,
    );
  });

  it("looks at the layers in their order, each once, however they are named", async () => {
    expect((await resultsOf("--layers", "rendered, model,rendered")).layers).toEqual(["model", "rendered"]);
  });

  it("tells of each layer on stderr, and nothing else on stdout with --json", async () => {
    const { stderr } = await run("--layers", "model,rendered", "--json", "--progress", "plain");
    expect(stderr.match(/layer \w+/g)).toEqual(["layer model", "layer rendered"]);
  });
});

describe("a layer that there is not", () => {
  it.each([
    ["modle", "did you mean model?"],
    ["redered", "did you mean rendered?"],
    ["model,dta", "did you mean data?"],
  ])("%s is refused with the one that is meant", async (layers, meant) => {
    const { exit, stderr } = await run("--layers", layers);
    expect(exit).toBe(2);
    expect(stderr).toContain("CLI_USAGE");
    expect(stderr).toContain(meant);
  });

  it.each(["", "everything", "model,", "model;rendered", "__proto__"])("%j is refused", async (layers) => {
    const { exit, stdout } = await run("--layers", layers, "--json");
    expect(exit).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({ code: "CLI_USAGE", path: "--layers" });
  });
});

it.each(["BOUNDARY_CLASS_REACHES", "BOUNDARY_PUBLISHED", "DEPLOYED_STACK_DIFFERS", "ENGINE_NOT_ISOLATED"])(
  "%s is a code that explain knows",
  async (code) => {
    expect((await runCli(["explain", code])).exit).toBe(0);
  },
);
