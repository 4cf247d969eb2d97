import { homedir } from "node:os";
import { join } from "node:path";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { removeLeftClusters } from "./cluster/leftovers.ts";
import { ensurePrograms } from "./cluster/prepare.ts";
import { PROJECT } from "./deployment.ts";

/** Everything is compiled at the first run on a machine. */
const COLD_MS = 3_000_000;

/** Before the tests of Kubernetes: the programs of a cluster, built where they are not there yet, and nothing left of one that was cut off. */
export async function setup(): Promise<void> {
  if (process.getuid?.() === 0) await removeLeftClusters();
  await ensurePrograms({
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal: AbortSignal.timeout(COLD_MS),
    onProgress: (what) => process.stderr.write(`${what}\n`),
  });
}
