import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { buildModel } from "../../modules/index.ts";
import { renderImageLock } from "../../operations/images/lock-file.ts";
import { referenceOf } from "../../operations/images/lock-images.ts";
import { kubernetesPlacement } from "../../stacks/kubernetes/placement.ts";
import { deploymentOf, KUBERNETES_FILES } from "../../stacks/kubernetes/test-deployments.ts";
import { PROJECT, scratch } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";

const DEPLOYMENT = "name: demo\ntenant: acme\nprofile: dev\nengine: docker\n";
const STACK = join("stacks", "demo", "cdk.tf.json");

// Gives the library's successor to whoever asks for the library, the provider's bindings included.
const SUCCESSOR = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({
    resolve: (name, context, next) => {
      const found = next(name === "cdktf" ? "cdktf-successor" : name, context);
      if (name === "cdktf") process.stderr.write("took " + found.url + "\\n");
      return found;
    },
  });
`)}`;

interface Stack {
  readonly resource: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly terraform: unknown;
  readonly provider: unknown;
}

let folder: ReturnType<typeof scratch>;
let file: string;
let app: readonly string[];

beforeAll(() => {
  folder = scratch("cdktf");
  file = join(folder.dir, "trustkern.yaml");
  writeFileSync(file, DEPLOYMENT);
  const settings = JSON.parse(readFileSync(join(PROJECT, "cdktf.json"), "utf8")) as { readonly app: string };
  app = settings.app.split(" ");
});
afterAll(() => folder.remove());

/** Runs the app of cdktf.json as `cdktf synth` does: in the project's folder, with the folder of its output in the environment. */
async function synth(
  name: string,
  flags: readonly string[] = [],
  deployment = file,
): Promise<Ended & { readonly out: string }> {
  const out = join(folder.dir, name);
  mkdirSync(out);
  const [program = "", ...args] = app;
  const env = { CDKTF_OUTDIR: out, TRUSTKERN_FILE: deployment };
  return { ...(await runProgram(program, [...flags, ...args], { cwd: PROJECT, env })), out };
}

const stackIn = (out: string): Stack => JSON.parse(readFileSync(join(out, STACK), "utf8")) as Stack;

describe("the app of cdktf.json", () => {
  it("gives the JSON that our own synth gives", async () => {
    const { code, stderr, out } = await synth("same");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const ours = await runProgram(process.execPath, [join(PROJECT, "cli/main.ts"), "synth", "-f", file]);
    expect(ours.code).toBe(0);
    expect(stackIn(out)).toEqual(JSON.parse(ours.stdout));
    expect(Object.keys(stackIn(out).resource).sort()).toEqual(["docker_container", "docker_network"]);
  });

  it("writes a manifest that names the stack", async () => {
    const { out } = await synth("manifest");
    const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8")) as { readonly stacks: object };
    expect(manifest.stacks).toMatchObject({ demo: { synthesizedStackPath: STACK } });
  });

  it("gives the same bytes twice", async () => {
    const [first, second] = [await synth("first"), await synth("second")];
    expect(readFileSync(join(first.out, STACK))).toEqual(readFileSync(join(second.out, STACK)));
  });

  it("gives the same stack with the library's successor", async () => {
    const old = await synth("old");
    const fresh = await synth("new", ["--import", SUCCESSOR]);
    expect(fresh.stderr).toMatch(/^took \S+\/cdktf-successor\/lib\/index\.js$/m);
    expect(fresh.code).toBe(0);
    expect(withoutComments(stackIn(fresh.out))).toEqual(withoutComments(stackIn(old.out)));
  });

  it.each([
    ["a wrong deployment", "name: demo\n", "CONFIG_INVALID", 2],
    ["a deployment that is none", "- [", "CONFIG_INVALID", 2],
  ])("writes no stack for %s, and says why", async (name, text, code, exit) => {
    const wrong = join(folder.dir, `${name}.yaml`);
    writeFileSync(wrong, text);
    const ended = await synth(name, [], wrong);
    expect(ended.code).toBe(exit);
    expect(ended.stderr).toContain(code);
    expect(existsSync(join(ended.out, STACK))).toBe(false);
  });

  it("writes no stack without a deployment", async () => {
    const ended = await synth("none", [], join(folder.dir, "none.yaml"));
    expect(ended.code).not.toBe(0);
    expect(existsSync(join(ended.out, STACK))).toBe(false);
  });
});

describe("the app of cdktf.json for the engine kubernetes", () => {
  it("gives the JSON that our own synth gives, by this library and by its successor", async () => {
    const deployment = kubernetesFolder("cluster", stringify(KUBERNETES_FILES["customer-tenant"]));
    const { code, stderr, out } = await synth("cluster-old", [], deployment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const ours = await runProgram(process.execPath, [join(PROJECT, "cli/main.ts"), "synth", "-f", deployment]);
    expect(stackIn(out)).toEqual(JSON.parse(ours.stdout));
    expect(Object.keys(stackIn(out).resource)).toContain("kubernetes_network_policy_v1");
    const fresh = await synth("cluster-new", ["--import", SUCCESSOR], deployment);
    expect(fresh.stderr).toMatch(/^took \S+\/cdktf-successor\/lib\/index\.js$/m);
    expect(withoutComments(stackIn(fresh.out))).toEqual(withoutComments(stackIn(out)));
  });

  it("writes no stack without a lock, and for an engine that has none", async () => {
    const deployment = kubernetesFolder("unlocked", stringify(KUBERNETES_FILES["customer-tenant"]), false);
    const ended = await synth("cluster-unlocked", [], deployment);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("KUBERNETES_IMAGE_UNPINNED")]);
    expect(existsSync(join(ended.out, STACK))).toBe(false);
    const embedded = await synth(
      "embedded-out",
      [],
      kubernetesFolder("embedded", "name: demo\ntenant: acme\nprofile: dev\n", false),
    );
    expect([embedded.code, embedded.stderr]).toEqual([2, expect.stringContaining("CDKTF_ENGINE")]);
  });
});

const EXAMPLE = join(PROJECT, "examples", "customer-tenant");
const FILES = [
  ["a deployment of the tests", stringify(KUBERNETES_FILES["customer-tenant"])],
  ...["trustkern.yaml"]
    .filter((name) => existsSync(join(EXAMPLE, name)))
    .map((name) => ["its own deployment file", readFileSync(join(EXAMPLE, name), "utf8")] as const),
] as const;

describe.each(FILES)("the app of examples/customer-tenant with %s", (_, text) => {
  /** A folder of its own with the packages that the guide has installed there. */
  function appFolder(name: string): string {
    const dir = dirname(kubernetesFolder(name, text));
    cpSync(join(EXAMPLE, "cdktf"), join(dir, "cdktf"), { recursive: true });
    const modules = join(dir, "cdktf", "node_modules");
    mkdirSync(modules);
    symlinkSync(PROJECT, join(modules, "trustkern"));
    for (const each of ["cdktf", "constructs"]) symlinkSync(join(PROJECT, "node_modules", each), join(modules, each));
    return join(dir, "cdktf");
  }

  it("writes a stack of what is exported, for the cluster that it names", async () => {
    const dir = appFolder(`app-${FILES.findIndex(([, each]) => each === text)}`);
    const { app: command } = JSON.parse(readFileSync(join(dir, "cdktf.json"), "utf8")) as { readonly app: string };
    const [program = "", ...args] = command.split(" ");
    const env = { CDKTF_OUTDIR: join(dir, "out") };
    const ended = await runProgram(program, args, { cwd: dir, env });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const written = join(dir, "out", "stacks", "customer-tenant", "cdk.tf.json");
    const { resource, provider } = JSON.parse(readFileSync(written, "utf8")) as Stack;
    expect(provider).toEqual({ kubernetes: [{ config_context: "plant", config_path: "~/.kube/config" }] });
    const file = join(dir, "..", "trustkern.yaml");
    const ours = await runProgram(process.execPath, [join(PROJECT, "cli/main.ts"), "synth", "-f", file]);
    expect(withoutComments(resource)).toEqual(withoutComments((JSON.parse(ours.stdout) as Stack).resource));
  });
});

/** A folder with a deployment file of the engine kubernetes and, where it is wanted, an image lock. @returns the file */
function kubernetesFolder(name: string, text: string, locked = true): string {
  const dir = join(folder.dir, `of-${name}`);
  mkdirSync(dir);
  const deploymentFile = join(dir, "trustkern.yaml");
  writeFileSync(deploymentFile, text);
  if (!locked) return deploymentFile;
  const deployment = deploymentOf(parse(text));
  const images = buildModel(deployment, kubernetesPlacement(deployment)).components.flatMap(({ image }) => {
    if (image === undefined) return [];
    const pin = { reference: referenceOf(deployment.images, image, "1.0.0"), digest: `sha256:${"a".repeat(64)}` };
    return [[image, pin] as const];
  });
  const lock = { source: deployment.images.source, images: Object.fromEntries(images) };
  writeFileSync(join(dir, "images.lock.yaml"), renderImageLock(lock));
  return deploymentFile;
}

function withoutComments(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, member) => (name === "//" ? undefined : member)));
}
