import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultCacheDir, type ToolsContext } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";
import { ensureProviderMirror } from "../../operations/tools/provider-mirror.ts";
import { PROJECT, scratch } from "./deployment.ts";
import { docker, singleHost } from "./docker.ts";
import { type Engine, endEngine, mountCgroups } from "./engine.ts";
import { ENGINE_FOLDER, removeBridges, removeLeftEngines } from "./leftovers.ts";

/** Everything is compiled at the first run on a machine. */
const COLD_SECONDS = 3_000;

/**
 * Before the integration tests: a Docker Engine, started where none answers, and the programs and images of the example, built
 * where they are not there yet. What was started here ends here.
 */
export async function setup(): Promise<() => Promise<void>> {
  if (process.getuid?.() === 0) await removeLeftEngines();
  const engine = (await engineAnswers()) ? await refuseDeployments() : await startEngine();
  const tools = toolsContext();
  await ensureTool(tools, "tofu");
  await ensureProviderMirror(tools);
  await ensureTool(tools, "cosign");
  const { dir, remove } = scratch("images");
  const { code, stdout, stderr } = await singleHost(dir).cli(["images", "build"], {}, COLD_SECONDS);
  if (code !== 0) throw new Error(`images build ended with ${code}: ${stderr}${stdout}`);
  remove();
  return async () => {
    if (engine === undefined) return;
    await endEngine(engine);
    await removeBridges();
  };
}

function toolsContext(): ToolsContext {
  return {
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal: AbortSignal.timeout(COLD_SECONDS * 1_000),
    onProgress: (what) => process.stderr.write(`${what}\n`),
  };
}

/** Tests deploy under fixed names: an engine of this machine's own must have none of them. */
async function refuseDeployments(): Promise<undefined> {
  const found = (await docker(["ps", "-aq", "--filter", "label=trustkern.deployment"])).stdout
    .trim()
    .split("\n")
    .join(" ");
  if (found !== "") throw new Error(`the Docker Engine has containers of a deployment: docker rm -f ${found}`);
}

async function engineAnswers(): Promise<boolean> {
  return docker(["version", "--format", "{{.Server.Version}}"]).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** A Docker Engine with nothing in it, so that containers of a run that was cut off do not come back to life under the next one. */
async function startEngine(): Promise<Engine> {
  await mountCgroups();
  await removeBridges();
  const folder = mkdtempSync(ENGINE_FOLDER);
  const log = join(folder, "dockerd.log");
  const out = openSync(log, "w");
  const own = { "--data-root": "data", "--exec-root": "exec", "--pidfile": "docker.pid" };
  const args = Object.entries(own).flatMap(([flag, name]) => [flag, join(folder, name)]);
  const engine = spawn("dockerd", args, { stdio: ["ignore", out, out] });
  for (let waited = 0; waited < 60_000; waited += 500) {
    if (engine.exitCode !== null) break;
    if (await engineAnswers()) return { process: engine, folder };
    await sleep(500);
  }
  throw new Error(`dockerd does not answer: ${readFileSync(log, "utf8").trim().split("\n").slice(-3).join("; ")}`);
}
