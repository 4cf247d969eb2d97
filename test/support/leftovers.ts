import { existsSync, globSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeEngineFolder } from "./engine.ts";
import { runProgram } from "./run.ts";

/** How the folders of the tests' engines begin. */
export const ENGINE_FOLDER = join(tmpdir(), "tk-dockerd-");

/** An engine has this long to stop its containers. */
const STOP_SECONDS = 60;

/** Engines of test runs that were cut off, which nobody ends any more, and their folders. Wants root, as those who start them are. */
export async function removeLeftEngines(): Promise<void> {
  for (const folder of globSync(`${ENGINE_FOLDER}*`)) {
    const pid = enginePid(folder);
    if (pid !== undefined && parentOf(pid) === 1) await stop(pid);
    if (enginePid(folder) === undefined) await removeEngineFolder(folder);
  }
}

/** The process of the engine with this folder, while it lives. */
function enginePid(folder: string): number | undefined {
  const file = join(folder, "docker.pid");
  if (!existsSync(file)) return undefined;
  const pid = readFileSync(file, "utf8").trim();
  const commandLine = `/proc/${pid}/cmdline`;
  return existsSync(commandLine) && readFileSync(commandLine, "utf8").includes(folder) ? Number(pid) : undefined;
}

/** An orphan's parent is 1: the run that started it is gone. */
function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

async function stop(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (let waited = 0; waited < STOP_SECONDS && existsSync(`/proc/${pid}`); waited++) await sleep(1_000);
}

/**
 * Bridges of deployments whose engine is gone: they hold the subnets that the next deployment by that name takes. A bridge is without an
 * engine where none runs here at all, or where nothing is plugged in.
 */
export async function removeBridges(): Promise<void> {
  const anyEngine = (await runProgram("pgrep", ["-x", "dockerd"])).code === 0;
  const { stdout } = await runProgram("ip", ["-json", "link", "show", "type", "bridge"]);
  const bridges: readonly { readonly ifname: string; readonly operstate: string }[] = JSON.parse(stdout || "[]");
  for (const { ifname, operstate } of bridges) {
    if ((!anyEngine || operstate === "DOWN") && /^tk[fp]-[0-9a-f]{10}$/.test(ifname))
      await runProgram("ip", ["link", "delete", ifname]);
  }
}
