import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

function withoutComments(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, member) => (name === "//" ? undefined : member)));
}
