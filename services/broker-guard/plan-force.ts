import { readFileSync } from "node:fs";
import { join } from "node:path";
import { planCrlSet } from "../runtime/broker-trust/crl-set.ts";
import { brokerTrustErrors } from "../runtime/broker-trust/errors.ts";
import { type BrokerTrust, textsOf } from "../runtime/broker-trust/feed.ts";
import { certificatesIn, signedBy } from "../runtime/broker-trust/issuers.ts";
import { keyIdOf } from "../runtime/broker-trust/trusted-crl.ts";
import { readText, type Tls13Options } from "../runtime/tls.ts";
import { CRL_FILE, type Force, withoutRevoked } from "./in-force.ts";

/** What {@link planForce} decides from. */
export interface ForceSources {
  /** The broker's own files, as the deployment hands them over. */
  readonly tls: Tls13Options;
  /** The first lists. */
  readonly crlFile: string;
  readonly stateDir: string;
  readonly feed: BrokerTrust;
  readonly least: ReadonlyMap<string, bigint>;
  readonly now: Date;
}

/** What Mosquitto is to work with, of all that is at hand, and why some of it is not taken. */
export function planForce(sources: ForceSources): { readonly force: Force; readonly refusals: readonly string[] } {
  const { tls, crlFile, stateDir, feed, least, now } = sources;
  const texts = textsOf(feed);
  const kept = [tls.cert, readText(crlFile), readIfThere(join(stateDir, CRL_FILE))];
  const set = planCrlSet({ anchors: tls.ca, texts, kept, least, now });
  const revokedIssuers = set.revokedIssuers.map(({ fingerprint256 }) => fingerprint256).sort();
  const force = {
    tls: { ...tls, ca: withoutRevoked(tls.ca, revokedIssuers) },
    crls: set.crls,
    revokedIssuers,
    issuerTexts: [...kept, ...texts],
  };
  return { force, refusals: set.refusals };
}

/** What of a plan is put in force. */
interface Usable {
  readonly force: Force;
  /** Why the broker is not as it must be although it works with this. */
  readonly fault: Error | undefined;
}

/**
 * What of a plan is put in force when the authority of the broker's own certificate may have no valid list. The broker keeps the
 * certificate that it shows while that one's authority has a list. Where none has, it takes the other lists all the same, since what they
 * revoke is refused then; below the authority without a list it accepts nobody. A broker that has not worked yet is not started for that.
 * @param before what the broker works with, if that is known
 * @throws BROKER_CRL_REFUSED where there is no other list either, or the broker has not worked yet
 */
export function usableForce(next: Force, before: Force | undefined, running: boolean): Usable {
  if (hasOwnList(next)) return { force: next, fault: undefined };
  const fault = brokerTrustErrors.error(
    "BROKER_CRL_REFUSED",
    "there is no valid list of the authority that issued the broker's own certificate",
    { path: CRL_FILE },
  );
  if (next.crls.length === 0 || (before === undefined && !running)) throw fault;
  const { cert, key } = before?.tls ?? next.tls;
  const kept = { ...next, tls: { ...next.tls, cert, key } };
  return { force: hasOwnList(kept) ? kept : next, fault };
}

/** Whether the authority of the broker's own certificate has a list: without one, the broker accepts no service. */
export function hasOwnList({ tls, crls }: Pick<Force, "tls" | "crls">): boolean {
  const [leaf, ...others] = certificatesIn(`${tls.cert}${tls.ca}`);
  const issuers = others.filter((issuer) => leaf !== undefined && signedBy(leaf, issuer)).map(keyIdOf);
  return crls.some(({ keyId }) => issuers.includes(keyId));
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
