import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { planCrlSet, sameCrls } from "../runtime/broker-trust/crl-set.ts";
import {
  type BrokerTrust,
  type EndedSession,
  fetchTrust,
  type TrustFeedConfig,
  textsOf,
} from "../runtime/broker-trust/feed.ts";
import { readOwnTls } from "../runtime/broker-trust/own-tls.ts";
import type { TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";
import { readText, type Tls13Options, type TlsFiles } from "../runtime/tls.ts";

/** Name of the file in the state folder that keeps the lists in force. */
const CRL_FILE = "crl.pem";

/** What the broker lets in by now. */
export interface Trust {
  readonly tls: Tls13Options;
  readonly crls: readonly TrustedCrl[];
}

/** Surroundings of {@link createTrust}. */
export interface TrustOptions {
  readonly tls: TlsFiles;
  /** The first lists. */
  readonly crlFile: string;
  readonly stateDir: string;
  readonly trust: TrustFeedConfig;
  readonly now: () => number;
  readonly log: Pick<Logger, "warn" | "error">;
  /** Told each list that was not taken, and why. */
  readonly onRefused: (reason: string) => void;
  /** Told what holds from now on. */
  readonly onTrust: (trust: Trust) => void;
  /** Told the sessions that the backend ended since the last time. */
  readonly onEnded: (ended: readonly EndedSession[]) => void;
}

/** Files and the backend's word, as what the broker lets in. */
export interface TrustKeeper {
  readonly current: () => Trust;
  /** One look at files and feed; never rejects. */
  readonly look: () => Promise<void>;
}

/**
 * Reads what holds at the start: the files of the deployment and the lists that were in force before.
 * @throws SERVICE_FILE_UNREADABLE, BROKER_PAIR_INVALID
 */
export function createTrust(options: TrustOptions): TrustKeeper {
  const { crlFile, stateDir, log } = options;
  const kept = join(stateDir, CRL_FILE);
  const least = new Map<string, bigint>();
  let seq = 0;
  let said: ReadonlySet<string> = new Set();
  let feed: BrokerTrust = { crls: [], ended: [] };

  const plan = (tls: Tls13Options): Trust => {
    const own = [tls.cert, readText(crlFile), readIfThere(kept)];
    const { crls, refusals } = planCrlSet({
      anchors: tls.ca,
      texts: textsOf(feed),
      kept: own,
      least,
      now: new Date(options.now()),
    });
    for (const refusal of refusals) if (!said.has(refusal)) options.onRefused(refusal);
    said = new Set(refusals);
    for (const { keyId, number } of crls) least.set(keyId, number);
    return { tls, crls };
  };

  let own = readOwnTls(options.tls);
  let current = plan(own);
  const look = async (): Promise<void> => {
    try {
      own = readOwnTls(options.tls);
    } catch (thrown) {
      log.error({ reason: messageOf(thrown) }, "the broker's own files are not taken, and the old ones stay");
    }
    try {
      feed = await fetchTrust(options.trust, own);
    } catch (thrown) {
      log.warn({ reason: messageOf(thrown) }, "the backend does not say what is revoked, and the old lists stay");
    }
    const next = plan(own);
    if (!same(next, current)) {
      writeFileAtomic(kept, next.crls.map(({ pem }) => pem).join(""));
      current = next;
      options.onTrust(next);
    }
    const ended = feed.ended.filter((each) => each.seq > seq);
    if (ended.length > 0) options.onEnded(ended);
    seq = Math.max(seq, ...ended.map((each) => each.seq));
  };
  return {
    current: () => current,
    look: () =>
      look().catch((thrown: unknown) => log.error({ reason: messageOf(thrown) }, "the look at what is trusted failed")),
  };
}

function same(a: Trust, b: Trust): boolean {
  return a.tls.cert === b.tls.cert && a.tls.key === b.tls.key && a.tls.ca === b.tls.ca && sameCrls(a.crls, b.crls);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
