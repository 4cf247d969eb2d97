import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { TrustKernError } from "../../shared/errors.ts";
import { dockerSite } from "../../stacks/docker/life/certs-site.ts";
import { embeddedSite } from "../../stacks/embedded/certs-site.ts";
import { type CertsSite, certsLockOf } from "../../stacks/host/certs-site.ts";
import { takeLock } from "../../stacks/host/lock.ts";
import type { CommandContext } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { dockerTarget } from "../docker-target.ts";
import { actorOf } from "../user.ts";

/** How long a command waits for another one that changes certificates, in milliseconds. */
const LOCK_MS = 20_000;

/**
 * The certificates of the deployment of `-f` or `--dir`, whichever engine runs it.
 * @throws NOT_DEPLOYED, STATE_CORRUPT, CONFIG_INVALID
 */
export async function certsSite(context: CommandContext): Promise<CertsSite> {
  const { io, flags } = context;
  const actor = actorOf(io);
  const { deployment, dir } = await locateDeployment(io, flags);
  if (deployment.engine === "docker") return dockerSite((await dockerTarget(context)).options, actor);
  return embeddedSite({ deployment, dir, temporaryDir: tmpdir(), clock: io.now, actor });
}

/**
 * Does what changes certificates, while nothing else does.
 * @throws STATE_LOCKED when another process keeps at it
 */
export async function changing<T>({ io }: CommandContext, site: CertsSite, work: () => Promise<T>): Promise<T> {
  const unlock = await lockWithin(LOCK_MS, certsLockOf(site), io.cancelled);
  try {
    return await work();
  } finally {
    unlock();
  }
}

async function lockWithin(limitMs: number, file: string, signal: AbortSignal): Promise<() => void> {
  for (let waited = 0; ; waited += 100) {
    try {
      return takeLock(file, process.pid);
    } catch (thrown) {
      const busy = thrown instanceof TrustKernError && thrown.code === "STATE_LOCKED";
      if (!busy || waited >= limitMs || signal.aborted) throw thrown;
      await sleep(100);
    }
  }
}
