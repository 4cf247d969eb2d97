import { setTimeout as sleep } from "node:timers/promises";
import { TrustKernError } from "../../../shared/errors.ts";

const LOOK_MS = 500;

/** How long is waited for a cluster in which something is about to change. */
export interface SettleOptions {
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Looks again while a look says that something is about to change.
 * @throws CLUSTER_UNSETTLED when it still does after the limit, or the signal is aborted; and what the look throws
 */
export async function onceSettled<T>(look: () => Promise<T>, { limitMs, signal }: SettleOptions): Promise<T> {
  for (const end = Date.now() + limitMs; ; await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)) {
    try {
      return await look();
    } catch (thrown) {
      const again = thrown instanceof TrustKernError && thrown.code === "CLUSTER_UNSETTLED";
      if (!again || Date.now() > end || signal.aborted) throw thrown;
    }
  }
}
