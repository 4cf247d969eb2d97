import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TrustKernError } from "../../shared/errors.ts";
import { dockerSite } from "../../stacks/docker/life/certs-site.ts";
import { embeddedSite } from "../../stacks/embedded/certs-site.ts";
import { type CertsSite, certsLockOf } from "../../stacks/host/certs-site.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { openHostLedger } from "../../stacks/host/host-ledger.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { takeLock } from "../../stacks/host/lock.ts";
import { hostFiles } from "../../stacks/host/store-files.ts";
import { openCluster } from "../../stacks/kubernetes/life/cluster.ts";
import { openForwards } from "../../stacks/kubernetes/life/forwards.ts";
import type { ClusterOptions } from "../../stacks/kubernetes/life/options.ts";
import { assertDeployed, clusterSite } from "../../stacks/kubernetes/life/site.ts";
import type { CommandContext } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { dockerTarget } from "../docker-target.ts";
import { clusterOptions } from "../kubernetes-target.ts";
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
  try {
    if (deployment.engine === "kubernetes") return await siteInCluster(await clusterOptions(context), actor);
    if (deployment.engine === "docker") return await dockerSite((await dockerTarget(context)).options, actor);
    return await embeddedSite({ deployment, dir, temporaryDir: tmpdir(), clock: io.now, actor });
  } catch (thrown) {
    throw afterCeremony(thrown, dir, deployment.engine === "embedded" ? "trustkern up" : "trustkern deploy");
  }
}

/** Ways into its pods are there for as long as this process has something to do. */
async function siteInCluster(options: ClusterOptions, actor: string): Promise<CertsSite> {
  const cluster = await openCluster(options);
  assertDeployed(cluster);
  const forwards = await openForwards(cluster);
  forwards.unref();
  return clusterSite(cluster, forwards, actor);
}

/** A ceremony makes authorities and deploys nothing: whoever has held one is told what comes next. */
function afterCeremony(thrown: unknown, dir: string, command: string): unknown {
  if (!(thrown instanceof TrustKernError) || thrown.code !== "NOT_DEPLOYED") return thrown;
  const { authoritiesDir } = layoutOf(dir, tmpdir());
  if (!existsSync(join(authoritiesDir, "root.crt"))) return thrown;
  const message = `the authorities are in "${authoritiesDir}", and nothing is deployed with them yet`;
  return hostErrors.error("NOT_DEPLOYED", message, {
    path: dir,
    fix: `bring it up with \`${command}\`, on the machine that keeps this directory; \`trustkern certs transcript verify\`, \`certs audit verify\` and \`certs issue ID --maker MAKER\` work before that`,
    cause: thrown,
  });
}

/** Where certificates of made devices are issued: the files of a ceremony are enough. */
export type IssuingPlace = Pick<CertsSite, "layout"> & { readonly pki: Pick<CertsSite["pki"], "ledger"> };

/**
 * The authorities of `-f` or `--dir`, whether or not anything is deployed with them.
 * @throws NOT_DEPLOYED where there are none, STATE_CORRUPT
 */
export async function issuingPlace({ io, flags }: CommandContext): Promise<IssuingPlace> {
  const { deployment, dir } = await locateDeployment(io, flags);
  const layout = layoutOf(dir, tmpdir());
  if (!existsSync(join(layout.authoritiesDir, "root.crt"))) {
    throw hostErrors.error("NOT_DEPLOYED", `there are no authorities in "${layout.authoritiesDir}"`, {
      path: dir,
      fix: "make them with `trustkern certs init`, or name their state directory with --dir",
    });
  }
  const ledger = await openHostLedger({
    dir: layout.authoritiesDir,
    tenant: deployment.tenant,
    clock: io.now,
    files: hostFiles,
  });
  return { layout, pki: { ledger } };
}

/**
 * Does what changes certificates, while nothing else does.
 * @throws STATE_LOCKED when another process keeps at it
 */
export async function changing<T>(
  { io }: CommandContext,
  site: Pick<CertsSite, "layout">,
  work: () => Promise<T>,
): Promise<T> {
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
