import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scratch } from "./deployment.ts";
import { docker, singleHost, succeed } from "./docker.ts";

/**
 * Before the integration tests: a Docker Engine, started where none answers, and the images of the example, built where they
 * are not there yet. What was started here ends here.
 */
export async function setup(): Promise<() => Promise<void>> {
  const engine = (await engineAnswers()) ? undefined : await startEngine();
  const { dir, remove } = scratch("images");
  await succeed(singleHost(dir), ["images", "build"]);
  remove();
  return async () => {
    if (engine === undefined) return;
    engine.kill("SIGTERM");
    await new Promise((resolve) => engine.once("exit", resolve));
  };
}

async function engineAnswers(): Promise<boolean> {
  return docker(["version", "--format", "{{.Server.Version}}"]).then(
    ({ code }) => code === 0,
    () => false,
  );
}

async function startEngine(): Promise<ChildProcess> {
  const log = join(mkdtempSync(join(tmpdir(), "tk-dockerd-")), "dockerd.log");
  const out = openSync(log, "w");
  const engine = spawn("dockerd", [], { stdio: ["ignore", out, out] });
  for (let waited = 0; waited < 60_000; waited += 500) {
    if (engine.exitCode !== null) break;
    if (await engineAnswers()) return engine;
    await sleep(500);
  }
  throw new Error(`dockerd does not answer; its log is ${log}`);
}
