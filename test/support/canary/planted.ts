import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { ensureTool } from "../../../operations/tools/ensure-tool.ts";
import type { Canary, Core } from "../../../operations/verify/search/needles.ts";
import { findProgram } from "../../../stacks/docker/terraform/program.ts";
import { dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { PROJECT } from "../deployment.ts";
import { docker } from "../docker.ts";
import { runProgram } from "../run.ts";
import { isText, type Leak, leaksOf, type Value } from "./leaks.ts";
import { keyCores, textCores } from "./secrets.ts";

/** Canaries of this test's own making, each leaked in one way. */
export interface Planted {
  readonly canaries: readonly Canary[];
  /** Names of the canaries in `text`. */
  readonly textNames: readonly string[];
  /** Every leak. */
  readonly bytes: Buffer;
  /** Every leak that is text. */
  readonly text: string;
}

/** A fresh secret for each way to leak one, so that a search which finds it knows that way. */
export function plant(): Planted {
  const all = [
    ...onePerWay("password", () => ({ text: randomBytes(24).toString("base64url") })),
    ...onePerWay("symmetric key", () => ({ text: randomBytes(16).toString("hex") })),
    ...onePerWay("private key", () => ({ pem: newKey() })),
  ];
  const texts = all.filter(({ leak }) => isText(leak));
  return {
    canaries: all.map(({ canary }) => canary),
    textNames: texts.map(({ canary }) => canary.name),
    bytes: Buffer.concat(all.flatMap(({ leak }) => [leak, Buffer.from("\n")])),
    text: texts.map(({ leak }) => leak.toString("utf8")).join("\n"),
  };
}

function onePerWay(kind: string, make: () => Value): readonly { readonly canary: Canary; readonly leak: Buffer }[] {
  return leaksOf(make()).map((_, index) => {
    const value = make();
    const [how, leak] = leaksOf(value)[index] as Leak;
    return { canary: { name: `${kind} ${how}`, cores: coresOf(value), homes: [] }, leak };
  });
}

function coresOf(value: Value): readonly Core[] {
  return "text" in value ? textCores(value.text) : keyCores(value.pem);
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}

/** A container and an image with planted canaries in everything that is searched of them. */
export interface PlantedContainer {
  readonly name: string;
  readonly image: string;
  readonly remove: () => Promise<void>;
}

const NAME = "canary-planted";
const WRITES = `
  const { copyFileSync, readFileSync } = require("node:fs");
  copyFileSync("/planted", "/scratch/planted");
  process.stdout.write(readFileSync("/planted"));
  process.stderr.write(readFileSync("/planted"));
  setInterval(() => undefined, 1_000);
`;

/**
 * Starts it: canaries in its environment, its arguments, a label, its log and its scratch, and in a file, a label and the history
 * of an image.
 * @param node an image with Node in it
 * @param logSocket where its log goes
 */
export async function plantContainer(
  planted: Planted,
  folder: string,
  node: string,
  logSocket: string,
): Promise<PlantedContainer> {
  const image = `${NAME}:1`;
  const layer = pack();
  layer.entry({ name: "planted" }, planted.bytes);
  layer.finalize();
  const label = `LABEL planted=${JSON.stringify(planted.text.replaceAll("\n", " "))}`;
  const changes = ["--change", label, "--message", planted.text];
  await dockerOutput(docker, ["import", ...changes, "-", image], { input: Readable.from(layer) });
  const file = join(folder, "planted");
  writeFileSync(file, planted.bytes, { mode: 0o644 });
  const log = { "fluentd-address": `unix://${logSocket}`, "fluentd-async": "true", tag: "{{.Name}}" };
  await dockerOutput(docker, [
    ...["run", "--detach", "--name", NAME, "--network", "none", "--tmpfs", "/scratch", "--entrypoint", "/usr/bin/node"],
    ...["--volume", `${file}:/planted:ro`, "--env", `PLANTED=${planted.text}`, "--label", `planted=${planted.text}`],
    ...["--log-driver", "fluentd", ...Object.entries(log).flatMap(([key, value]) => ["--log-opt", `${key}=${value}`])],
    ...[node, "-e", WRITES, planted.text],
  ]);
  const remove = async (): Promise<void> => {
    await dockerOutput(docker, ["rm", "--force", NAME]);
    await dockerOutput(docker, ["image", "rm", "--force", image]);
  };
  return { name: NAME, image, remove };
}

/** A folder with a Terraform state, its backup, a plan file and what `show -json` says, with planted canaries in each. */
export async function plantTerraform({ text }: Planted, folder: string): Promise<void> {
  mkdirSync(folder);
  const stack = (more: string): string =>
    JSON.stringify({ resource: { terraform_data: { planted: { input: `${text}${more}` } } } });
  const run = async (...args: readonly string[]): Promise<string> => (await terraform(folder, args)).stdout;
  for (const round of ["", " again"]) {
    writeFileSync(join(folder, "main.tf.json"), stack(round));
    await run("init", "-input=false");
    await run("plan", "-input=false", "-out=the.plan");
    await run("apply", "-input=false", "the.plan");
  }
  writeFileSync(join(folder, "state.json"), await run("show", "-json"));
  writeFileSync(join(folder, "plan.json"), await run("show", "-json", "the.plan"));
}

/** Runs the OpenTofu or Terraform that deployments of this machine use. */
export async function terraform(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const signal = new AbortController().signal;
  const tools = {
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal,
    onProgress: () => undefined,
  };
  const program = await findProgram({ env: process.env, signal, fallback: () => ensureTool(tools, "tofu") });
  const ended = await runProgram(program.path, args, { cwd: folder, env });
  if (ended.code !== 0) throw new Error(`${program.path} ${args[0]} ended with ${ended.code}: ${ended.stderr}`);
  return ended;
}
