/** What `scripts/cluster` runs: brings a cluster up or takes it down. Standard output has the path of the kubeconfig, and nothing else. */

import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { EXIT, messageOf, TrustKernError } from "../../../shared/errors.ts";
import { takeLock } from "../../../stacks/host/lock.ts";
import { PROJECT } from "../deployment.ts";
import { takeDown } from "./down.ts";
import { assertAble, assertRoot } from "./needs.ts";
import { parseOptions } from "./options.ts";
import { bringUp } from "./up.ts";

const cacheDir = defaultCacheDir(process.env, homedir());
const cancel = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => cancel.abort());

try {
  const { command, state } = parseOptions(process.argv.slice(2), process.cwd(), join(cacheDir, "cluster"));
  if (command === "up") assertAble(process.getuid?.());
  else assertRoot(process.getuid?.());
  mkdirSync(dirname(state), { recursive: true });
  const unlock = takeLock(`${state}.lock`, process.pid);
  try {
    if (command === "down") await takeDown(state);
    else process.stdout.write(`${await kubeconfigOfRunning(state)}\n`);
  } finally {
    unlock();
  }
} catch (thrown) {
  say(thrown instanceof TrustKernError ? `${thrown.code} ${thrown.message}\n  ${thrown.fix}` : messageOf(thrown));
  process.exitCode = thrown instanceof TrustKernError ? thrown.exit : EXIT.bug;
}

async function kubeconfigOfRunning(state: string): Promise<string> {
  const toolsDir = join(PROJECT, "tools");
  const common = { cacheDir, toolsDir, env: process.env, signal: cancel.signal, onProgress: say };
  return (await bringUp({ ...common, state, clock: () => new Date() })).kubeconfig;
}

function say(what: string): void {
  process.stderr.write(`${what}\n`);
}
