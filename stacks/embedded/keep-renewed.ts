import { TrustKernError } from "../../shared/errors.ts";
import { type CertsSite, certsLockOf } from "../host/certs-site.ts";
import { introduce } from "../host/introduce.ts";
import { takeLock } from "../host/lock.ts";
import { renewDue } from "../host/renew.ts";
import { tellOfRevoked } from "../host/revoked-gateways.ts";

/** How often it looks, in milliseconds. */
const EVERY_MS = 60_000;

/** What keeping certificates young needs. */
export interface KeepRenewedRequest {
  readonly site: CertsSite;
  readonly pid: number;
  readonly onProgress: (what: string) => void;
}

/**
 * Renews what is due, every minute, for as long as a deployment is up. Where another program changes certificates, or something
 * fails, it is tried again the next time.
 * @returns ends it, after a renewal that is on its way
 */
export function keepRenewed(request: KeepRenewedRequest): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let told = "";
  const tell = (revoked: readonly string[]): void => {
    if (revoked.length > 0 && told !== String(revoked)) request.onProgress(tellOfRevoked(revoked));
    told = String(revoked);
  };
  const timer = setInterval(() => {
    running = running.then(() => once(request, tell));
  }, EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

async function once(
  { site, pid, onProgress }: KeepRenewedRequest,
  tell: (revoked: readonly string[]) => void,
): Promise<void> {
  try {
    const unlock = takeLock(certsLockOf(site), pid);
    try {
      const { renewed } = await renewDue(site);
      if (renewed.length > 0) onProgress(`new certificates: ${renewed.join(", ")}`);
      tell(await introduce(site, await site.operator()));
    } finally {
      unlock();
    }
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError)) throw thrown;
    if (thrown.code !== "STATE_LOCKED") onProgress(`certificates: ${thrown.code}: ${thrown.message}`);
  }
}
