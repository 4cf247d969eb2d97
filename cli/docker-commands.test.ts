import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { KNOWN_IMAGES } from "../operations/images/known-images.ts";
import { renderImageLock } from "../operations/images/lock-file.ts";
import { referenceOf } from "../operations/images/lock-images.ts";
import { testSigner } from "../operations/images/signatures/test-signer.ts";
import { runCli } from "./test-io.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-docker-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** No docker, no Terraform, no network: what runs here needs none of them. */
const run = (...argv: string[]) => runCli(argv, { cwd, env: { PATH: cwd } });
const use = (example: string) => cpSync(join("examples", example, "trustkern.yaml"), join(cwd, "trustkern.yaml"));
const codeOf = async (...argv: string[]) => {
  const { exit, stdout } = await run(...argv, "--json");
  return [exit, JSON.parse(stdout).error?.code];
};

describe.each(["single-host", "eu-hosted", "air-gapped"])("examples/%s", (example) => {
  it("is synthesised without Docker, network or lock, the same way twice, with no secret in it", async () => {
    use(example);
    const { exit, stdout } = await run("synth");
    expect(exit).toBe(0);
    expect((await run("synth")).stdout).toBe(stdout);
    expect(Object.keys(JSON.parse(stdout).resource.docker_container)).toContain("collector");
    expect(stdout).not.toMatch(/PRIVATE KEY|password=/);
    expect(existsSync(join(cwd, ".trustkern"))).toBe(false);
  });

  it("is written to a folder with every configuration file", async () => {
    use(example);
    const { stdout } = await run("synth", "-o", "out", "--json");
    expect(JSON.parse(stdout).files).toEqual(
      expect.arrayContaining(["cdk.tf.json", "config/broker/mosquitto.conf", "config/prometheus/prometheus.yml"]),
    );
    expect(readFileSync(join(cwd, "out", "config", "broker", "mosquitto.conf"), "utf8")).toContain("tlsv1.3");
  });

  it("is exported for Docker Compose, the same way twice, with no secret in it", async () => {
    use(example);
    const { exit, stdout } = await run("export", "compose");
    expect(exit).toBe(0);
    expect(Object.keys(parse(stdout).services)).toContain("collector");
    expect(stdout).not.toMatch(/PRIVATE KEY|password=/);
    const { stdout: written } = await run("export", "compose", "-o", "out", "--json");
    expect(JSON.parse(written)).toMatchObject({ folder: join(cwd, "out"), files: ["compose.yaml"] });
    expect(readFileSync(join(cwd, "out", "compose.yaml"), "utf8")).toBe(stdout);
    const { compose } = JSON.parse((await run("export", "compose", "--json")).stdout);
    expect(Object.keys(compose.services)).toEqual(Object.keys(parse(stdout).services));
    expect(existsSync(join(cwd, ".trustkern"))).toBe(false);
  });

  it("breaks nothing of the model's layer of the boundary", async () => {
    use(example);
    const { results } = JSON.parse((await run("verify", "boundary", "--layers", "model", "--json")).stdout);
    const model = results.filter(({ id }: { id: string }) => id.startsWith("model."));
    expect(model.length).toBeGreaterThan(0);
    expect(model.filter(({ outcome }: { outcome: string }) => outcome !== "proven")).toEqual([]);
  });

  it("is refused until its images are locked", async () => {
    use(example);
    expect(await codeOf("deploy")).toEqual([5, "IMAGES_NOT_LOCKED"]);
  });
});

describe("commands of the docker engine", () => {
  it("make nothing before the host has what reaches the tokens of the example, once its images are locked", async () => {
    use("eu-hosted");
    const mirror = "registry.example/hub";
    const file = join(cwd, "trustkern.yaml");
    const signedBy = join(cwd, "images.pub");
    const signer = testSigner();
    writeFileSync(signedBy, signer.pem);
    writeFileSync(file, readFileSync(file, "utf8").replace(/signedBy: .*/, `signedBy: ${signedBy}`));
    const images = Object.keys(KNOWN_IMAGES).map((name) => {
      const reference = referenceOf({ source: "registry", mirror }, name, "1.0.0");
      const digest = `sha256:${"0".repeat(64)}`;
      return [name, { reference, digest, signature: signer.sign(reference, digest) }] as const;
    });
    writeFileSync(
      join(cwd, "images.lock.yaml"),
      renderImageLock({ source: "registry", images: Object.fromEntries(images) }),
    );
    expect(await codeOf("deploy")).toEqual([4, "HOST_KEYS_UNREACHABLE"]);
  });

  it.each(["synth", "export compose", "plan", "deploy", "status", "destroy"])(
    "%s refuses a deployment of another engine",
    async (command) => {
      writeFileSync(join(cwd, "trustkern.yaml"), "name: a\ntenant: b\nprofile: dev\n");
      expect(await codeOf(...command.split(" "), "--yes")).toEqual([2, "DOCKER_ENGINE_ONLY"]);
    },
  );

  it("have no status of what was never deployed", async () => {
    use("single-host");
    expect(await codeOf("status")).toEqual([6, "NOT_DEPLOYED"]);
  });

  it("destroy nothing that nobody confirmed", async () => {
    use("single-host");
    expect(await codeOf("destroy")).toEqual([6, "NOT_DEPLOYED"]);
    mkdirSync(join(cwd, ".trustkern"));
    const state = {
      schema: "trustkern.docker-state/1",
      tenant: "demo",
      createdAt: "2026-01-01",
      ports: {},
      volumes: [],
    };
    writeFileSync(join(cwd, ".trustkern", "deployment.json"), JSON.stringify(state));
    expect(await codeOf("destroy")).toEqual([2, "CONFIRMATION_NEEDED"]);
    expect(await codeOf("destroy", "--volumes", "--non-interactive")).toEqual([2, "CONFIRMATION_NEEDED"]);
  });

  it("write no stack over what is something else, and leave nothing of an earlier one", async () => {
    use("single-host");
    mkdirSync(join(cwd, "out", "config", "grafana"), { recursive: true });
    expect(await codeOf("synth", "-o", "out")).toEqual([2, "CLI_FILE_EXISTS"]);
    writeFileSync(join(cwd, "out", "cdk.tf.json"), "{}");
    expect((await run("synth", "-o", "out")).exit).toBe(0);
    expect(existsSync(join(cwd, "out", "config", "grafana"))).toBe(false);
  });

  it("refuse a port that is published for nobody", async () => {
    use("single-host");
    const yaml = readFileSync(join(cwd, "trustkern.yaml"), "utf8").replace("ports:\n", "ports:\n  database: 5433\n");
    writeFileSync(join(cwd, "trustkern.yaml"), yaml);
    expect(await codeOf("synth")).toEqual([2, "DOCKER_PORT_UNPUBLISHED"]);
  });

  it("name the program that is missing", async () => {
    use("eu-hosted");
    writeFileSync(
      join(cwd, "trustkern.yaml"),
      readFileSync(join(cwd, "trustkern.yaml"), "utf8").replace(/state:\n(?: {2}.*\n)+/, ""),
    );
    expect(await codeOf("plan")).toEqual([4, "DOCKER_MISSING"]);
    const docker = join(cwd, "docker");
    writeFileSync(docker, "#!/bin/sh\necho unix:///var/run/docker.sock\n", { mode: 0o755 });
    expect(await codeOf("plan")).toEqual([4, "TERRAFORM_MISSING"]);
  });
});
