import { setTimeout as sleep } from "node:timers/promises";
import { findingsOf } from "../../../model/findings.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { healthOf, isAway, type Unsealing, type UnsealReport, unsealChecked } from "./unseal.ts";

/** How often custody is asked, in milliseconds. */
const LOOK_MS = 5_000;

/** What a watch works with. */
export interface Watching {
  /** Aborted when it is to end. */
  readonly signal: AbortSignal;
  readonly onUnsealed: (report: UnsealReport) => void;
  /** Hears a refusal once, until something else is found. */
  readonly onRefused: (refusal: TrustKernError) => void;
  /** Hears once that custody, its token or server, or Docker is away. */
  readonly onAway: (why: TrustKernError) => void;
  /** @default 5,000 ms */
  readonly lookMs?: number;
}

/**
 * Unseals custody whenever it has started, after a check each time, until the signal is aborted; what somebody ordered sealed
 * stays sealed. What is refused is looked at again, since a deploy may mend it. An order that custody itself refuses ends
 * the watch, unless a token or a server is only away: a wrong PIN that is tried again and again locks a token.
 * @throws what custody answers to an order to unseal, DOCKER_MISSING, STATE_UNWRITABLE, STATE_CORRUPT
 */
export async function watchStarts(unsealing: Unsealing, watching: Watching): Promise<void> {
  const { signal, lookMs = LOOK_MS } = watching;
  const told = { refusal: "", away: false };
  while (!signal.aborted) {
    try {
      await look(unsealing, watching, told);
      told.away = false;
    } catch (thrown) {
      // What was under way when it is told to end fails, and has no consequence.
      if (signal.aborted) return;
      if (!(thrown instanceof TrustKernError) || !isAway(thrown)) throw thrown;
      if (!told.away) watching.onAway(thrown);
      told.away = true;
    }
    await sleep(lookMs, undefined, { signal }).catch(() => undefined);
  }
}

async function look(unsealing: Unsealing, watching: Watching, told: { refusal: string }): Promise<void> {
  const { sealed, sealedBecause } = await healthOf(unsealing.management);
  if (!sealed || sealedBecause !== "started") return;
  // The event of a refusal is written once, as it is told once.
  const verdict = await unsealing.check();
  const refusal = verdict.findings.length === 0 ? "" : stableJson(verdict.findings);
  if (refusal !== "" && refusal === told.refusal) return;
  told.refusal = refusal;
  try {
    watching.onUnsealed(await unsealChecked({ ...unsealing, check: async () => verdict }));
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || findingsOf(thrown).length === 0) throw thrown;
    watching.onRefused(thrown);
  }
}
