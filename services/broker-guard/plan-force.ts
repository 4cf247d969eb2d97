import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CrlSet, planCrlSet } from "../runtime/broker-trust/crl-set.ts";
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

/**
 * Refuses lists without one of the authority of the broker's own certificate: the broker would accept nobody of ours.
 * @throws BROKER_CRL_REFUSED
 */
export function assertUsable({ tls, crls }: Pick<Force, "tls"> & Pick<CrlSet, "crls">): void {
  const [leaf, ...others] = certificatesIn(`${tls.cert}${tls.ca}`);
  const issuers = others.filter((issuer) => leaf !== undefined && signedBy(leaf, issuer)).map(keyIdOf);
  if (crls.some(({ keyId }) => issuers.includes(keyId))) return;
  throw brokerTrustErrors.error(
    "BROKER_CRL_REFUSED",
    "there is no valid list of the authority that issued the broker's own certificate",
    { path: CRL_FILE },
  );
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
