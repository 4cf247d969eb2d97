import type { Tls13Options } from "../runtime/tls.ts";
import { connectOnce, type Listener, type Verdict } from "./connect.ts";

/** What two connections show of a broker: `open` accepts a revoked certificate, `closed` refuses a good one, `silent` does not answer. */
export type ProbeResult = "good" | "open" | "closed" | "silent" | "unclear";

/**
 * Connects with a certificate that is revoked on purpose and with one that is not. Anything but "revoked" for the first
 * proves nothing, and is no success.
 */
async function probeBroker(listener: Listener, good: Tls13Options, revoked: Tls13Options): Promise<ProbeResult> {
  return judge(await connectOnce(listener, revoked), await connectOnce(listener, good));
}

/** The first result of several listeners that is not the expected one. */
export async function probeAll(
  listeners: readonly Listener[],
  good: Tls13Options,
  revoked: Tls13Options,
  expected: ProbeResult,
): Promise<ProbeResult> {
  for (const listener of listeners) {
    const result = await probeBroker(listener, good, revoked);
    if (result !== expected) return result;
  }
  return expected;
}

/** The result of both connections. */
export function judge(revoked: Verdict, good: Verdict): ProbeResult {
  if (revoked === "accepted") return "open";
  if (good === "away") return "silent";
  if (good !== "accepted") return "closed";
  return revoked === "revoked" ? "good" : "unclear";
}
