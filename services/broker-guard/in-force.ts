import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { planCrlSet, sameCrls } from "../runtime/broker-trust/crl-set.ts";
import { brokerTrustErrors } from "../runtime/broker-trust/errors.ts";
import { certificatesIn } from "../runtime/broker-trust/issuers.ts";
import type { TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";
import type { Tls13Options } from "../runtime/tls.ts";
import { type PublishStep, publishCrlFile } from "./crl-file.ts";
import { EMPTY_DYNAMIC_SECURITY } from "./end-sessions.ts";
import type { Mosquitto } from "./mosquitto.ts";

/** Names of the files that Mosquitto's configuration names. */
export const LIVE_FILES = { ca: "ca.crt", cert: "tls.crt", key: "tls.key", sessions: "sessions.json" } as const;

/** Name of the file of revocation lists in the state folder. */
export const CRL_FILE = "crl.pem";

/** Name of the file with those lists alone under which a service can be: no gateway and no operator gets in with it. */
export const SERVICES_CRL_FILE = "crl-services.pem";

/** Who issues these, as {@link TrustedCrl.issuer} has it. */
const OVER_SERVICES: readonly string[] = ["TrustKern root", "TrustKern services"];

/** What Mosquitto is to work with. */
export interface Force {
  /** Its `ca` is without the authorities that are revoked. */
  readonly tls: Tls13Options;
  readonly crls: readonly TrustedCrl[];
  /** SHA-256 fingerprints of the authorities that are revoked. */
  readonly revokedIssuers: readonly string[];
  /** Texts with the certificates of those who issue lists. */
  readonly issuerTexts: readonly string[];
}

/** Surroundings of {@link putInForce}. */
export interface ForceOptions {
  readonly mosquitto: Mosquitto;
  readonly liveDir: string;
  readonly stateDir: string;
  /** Whether there is a listener for services alone, which has a file of lists of its own. */
  readonly forServices: boolean;
  readonly now: () => number;
  readonly onStep: (step: PublishStep) => void;
}

/** The trust anchors without the authorities that are revoked: what is not there, a chain cannot end at. */
export function withoutRevoked(ca: string, fingerprints: readonly string[]): string {
  const kept = certificatesIn(ca).filter(({ fingerprint256 }) => !fingerprints.includes(fingerprint256));
  return kept.map(String).join("");
}

/** Whether Mosquitto works with this already; also false when somebody changed the file of lists. */
export function isInForce(next: Force, before: Force | undefined, options: ForceOptions): boolean {
  const { mosquitto, stateDir } = options;
  if (before === undefined || !mosquitto.running() || needsRestart(next, before)) return false;
  const { tls } = before;
  const samePair = next.tls.cert === tls.cert && next.tls.key === tls.key;
  if (!samePair || !sameCrls(next.crls, before.crls)) return false;
  return filesOf(next, options).every(({ name, crls }) => readOr(join(stateDir, name)) === textOf(crls));
}

/**
 * The files of lists that Mosquitto is to read. One without lists is not written, since Mosquitto would take that as leave to
 * accept whoever is revoked: the lists of before stay in it, which let nobody in once they have ended.
 */
export function filesOf(
  { crls }: Pick<Force, "crls">,
  { forServices }: Pick<ForceOptions, "forServices">,
): readonly { readonly name: string; readonly crls: readonly TrustedCrl[] }[] {
  const overServices = crls.filter(({ issuer }) => OVER_SERVICES.includes(issuer));
  const ofServices = { name: SERVICES_CRL_FILE, crls: overServices };
  return [...(forServices && overServices.length > 0 ? [ofServices] : []), { name: CRL_FILE, crls }];
}

/**
 * Has Mosquitto work with it: files first, then a signal. It starts anew where authorities went away, since a reload leaves
 * their clients' sessions open. Gives whether it started anew.
 * @throws BROKER_CRL_REFUSED, GUARD_MOSQUITTO_FAILED
 */
export async function putInForce(next: Force, before: Force | undefined, options: ForceOptions): Promise<boolean> {
  const { mosquitto, liveDir, stateDir, onStep } = options;
  for (const { name, crls } of filesOf(next, options)) {
    publishCrlFile({
      file: join(stateDir, name),
      text: textOf(crls),
      verify: (text) => assertSame(text, { ...next, crls }, options.now(), name),
      onStep,
    });
  }
  const live = (name: keyof typeof LIVE_FILES, text: string) => writeFileAtomic(join(liveDir, LIVE_FILES[name]), text);
  live("ca", next.tls.ca);
  live("cert", next.tls.cert);
  live("key", next.tls.key);
  onStep("reload");
  if (before !== undefined && mosquitto.running() && !needsRestart(next, before)) {
    await mosquitto.reload();
    return false;
  }
  await mosquitto.stop();
  live("sessions", EMPTY_DYNAMIC_SECURITY);
  await mosquitto.start();
  return true;
}

function needsRestart(next: Force, before: Force): boolean {
  return next.tls.ca !== before.tls.ca || next.revokedIssuers.join() !== before.revokedIssuers.join();
}

function textOf(crls: readonly TrustedCrl[]): string {
  return crls.map(({ pem }) => pem).join("");
}

/** Reads a text as Mosquitto will, and refuses it unless it has exactly the lists that were planned. */
function assertSame(text: string, { tls, crls, issuerTexts }: Force, now: number, path: string): void {
  const certificates = issuerTexts.flatMap(certificatesIn).map(String);
  const set = planCrlSet({
    anchors: tls.ca,
    texts: [text, ...certificates],
    least: new Map(),
    now: new Date(now),
  });
  if (crls.length > 0 && sameCrls(set.crls, crls)) return;
  const why = set.refusals.join("; ") || `it has ${set.crls.length} lists, and ${crls.length} were written`;
  throw brokerTrustErrors.error("BROKER_CRL_REFUSED", `the file is not what was written: ${why}`, { path });
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    return messageOf(thrown);
  }
}
