import { judgeSignatures } from "../../../protocol/dsse-signers.ts";
import { fingerprintOf } from "../../../stacks/host/trust/fingerprint.ts";
import { digestOf } from "../format/manifest.ts";
import { type Envelope, payloadOf } from "./envelope.ts";
import { bundleTrustErrors } from "./errors.ts";
import { momentOf } from "./fields.ts";
import { keysOf, type SignedRoot } from "./root.ts";
import { followRoots } from "./root-chain.ts";
import type { Seen } from "./seen.ts";
import { parseSlot } from "./slot.ts";
import { type Statement, statementOf } from "./statement.ts";

/** What is decided on. */
export interface TrustQuestion {
  /** Bytes of `signatures.json`. */
  readonly slot: Uint8Array;
  /** Bytes of `manifest.json`. */
  readonly manifestBytes: Uint8Array;
  /** Bytes of `SHA256SUMS`. */
  readonly sums: Uint8Array;
  /** What the manifest says of whose it is: the bytes above, parsed. */
  readonly manifest: { readonly tenant: string; readonly deployment: string; readonly base?: string | undefined };
  /** The root of trust that this site has, or that was named with its fingerprint. */
  readonly siteRoot: SignedRoot;
  /** What the site has had; undefined where there is no site. */
  readonly seen: Seen | undefined;
  /**
   * What runs at the site, or is being gone back to: its own bundle mends it, although a newer one has been there since.
   * @default nothing that runs is older than what the site has had
   */
  readonly runs?: { readonly version: number; readonly manifest: string } | undefined;
  /** The only deployment that is accepted. @default the one that was seen, or any */
  readonly deployment?: string | undefined;
  readonly now: Date;
}

/** Something that a person should know of a bundle that is accepted. */
export interface TrustWarning {
  readonly code: "BUNDLE_PAST_DATE" | "BUNDLE_IN_FUTURE";
  readonly message: string;
}

/** A bundle that counts. */
export interface TrustDecision {
  readonly statement: Statement;
  /** Of the manifest, `sha256:…`. */
  readonly manifest: string;
  readonly signers: readonly { readonly name: string; readonly fingerprint: string }[];
  readonly threshold: number;
  /** The root by which it counts. */
  readonly root: SignedRoot;
  /** Roots that follow the site's, oldest first: the site goes over to the last one with {@link recordSeen}. */
  readonly roots: readonly SignedRoot[];
  readonly warnings: readonly TrustWarning[];
}

/**
 * Whether a bundle counts: pure, and looks at no byte of the bundle but the head. Past its date it warns and goes on, since a closed
 * site may see media twice a year.
 * @throws BUNDLE_UNSIGNED, BUNDLE_SLOT_MALFORMED, BUNDLE_ROOT_MALFORMED, BUNDLE_ROOT_GAP, BUNDLE_ROOT_OLD, BUNDLE_ROOT_FORK,
 *   BUNDLE_ROOT_BAD_SIGNATURE, BUNDLE_ROOT_BELOW_THRESHOLD, BUNDLE_BAD_SIGNATURE, BUNDLE_SIGNER_UNKNOWN, BUNDLE_BELOW_THRESHOLD,
 *   BUNDLE_MIXED, BUNDLE_OTHER_TENANT, BUNDLE_OTHER_DEPLOYMENT, BUNDLE_ROLLBACK, BUNDLE_EQUIVOCATION
 */
export function decideTrust(question: TrustQuestion): TrustDecision {
  const { siteRoot, slot, manifestBytes, now } = question;
  const { statement: envelope, roots } = parseSlot(slot);
  const adopted = followRoots(siteRoot, roots);
  const root = adopted.at(-1) ?? siteRoot;
  const signers = signersOf(envelope, root);
  // Nothing that the statement says counts before that.
  const statement = statementOf(envelope);
  const { predicate } = statement;
  if (predicate.rootVersion !== root.root.version) {
    const message = `it was signed under root ${predicate.rootVersion}, and root ${root.root.version} is the newest`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_OLD", message);
  }
  assertSubjects(question, statement);
  assertOurs(question, statement, root);
  const manifest = digestOf(manifestBytes);
  assertNewer(question, predicate.version, manifest);
  return {
    statement,
    manifest,
    signers,
    threshold: root.root.threshold,
    root,
    roots: adopted,
    warnings: warningsOf(statement, now),
  };
}

/**
 * Those who have signed, once they are enough.
 * @throws BUNDLE_BAD_SIGNATURE, BUNDLE_SIGNER_UNKNOWN, BUNDLE_BELOW_THRESHOLD
 */
export function signersOf(envelope: Envelope, root: SignedRoot): TrustDecision["signers"] {
  const signers = knownSigners(envelope, root);
  const { threshold, version } = root.root;
  if (signers.length >= threshold) return signers;
  const names = signers.map(({ name }) => name).join(", ");
  const message = `signed by ${signers.length} (${names}); root ${version} asks for ${threshold}`;
  throw bundleTrustErrors.error("BUNDLE_BELOW_THRESHOLD", message);
}

/**
 * Those who have signed, however many: one who is no signer, or one signature that does not hold, and the bundle is refused.
 * @throws BUNDLE_BAD_SIGNATURE, BUNDLE_SIGNER_UNKNOWN
 */
export function knownSigners(
  { payloadType, payload, signatures }: Envelope,
  { root }: SignedRoot,
): TrustDecision["signers"] {
  const keys = keysOf(root.signers);
  const parts = signatures.map(({ keyid, sig }) => ({ keyid, sig: Buffer.from(sig, "base64") }));
  const states = judgeSignatures(payloadType, payloadOf({ payload }), parts, keys);
  return parts.map(({ keyid: fingerprint }, index) => {
    const state = states[index];
    if (state === "unknown") {
      throw bundleTrustErrors.error(
        "BUNDLE_SIGNER_UNKNOWN",
        `${fingerprint} signed, who is no signer by root ${root.version}`,
      );
    }
    if (state !== "good") {
      const why = state === "bad" ? "did not sign this content" : "has another signature on it, with a high s";
      throw bundleTrustErrors.error("BUNDLE_BAD_SIGNATURE", `${fingerprint} ${why}`);
    }
    const name =
      root.signers.find((each) => fingerprintOf(Buffer.from(each.publicKey, "base64")) === fingerprint)?.name ?? "";
    return { name, fingerprint };
  });
}

/**
 * Whether a statement is on these very bytes.
 * @throws BUNDLE_MIXED
 */
export function assertSubjects(
  { manifestBytes, sums }: Pick<TrustQuestion, "manifestBytes" | "sums">,
  { subject }: Statement,
): void {
  for (const [index, bytes] of [manifestBytes, sums].entries()) {
    const { name, digest } = subject[index as 0 | 1];
    const found = digestOf(bytes);
    if (found === `sha256:${digest.sha256}`) continue;
    const message = `${name} is ${found}; signed is sha256:${digest.sha256}`;
    throw bundleTrustErrors.error("BUNDLE_MIXED", message, { path: name });
  }
}

function assertOurs(
  { manifest, seen, deployment }: TrustQuestion,
  { predicate }: Statement,
  { root }: SignedRoot,
): void {
  const { base, tenant } = predicate;
  const says = `the manifest says tenant "${manifest.tenant}", deployment "${manifest.deployment}"`;
  if (manifest.tenant !== tenant || manifest.deployment !== predicate.deployment || manifest.base !== base) {
    const message = `${says}, and the statement "${tenant}", "${predicate.deployment}", or another base`;
    throw bundleTrustErrors.error("BUNDLE_MIXED", message);
  }
  if (tenant !== root.tenant) {
    const message = `the bundle is of tenant "${tenant}"; accepted: "${root.tenant}", by the root of trust`;
    throw bundleTrustErrors.error("BUNDLE_OTHER_TENANT", message);
  }
  const only = deployment ?? seen?.deployment;
  if (only === undefined || only === predicate.deployment) return;
  const message = `the bundle is of deployment "${predicate.deployment}"; accepted: "${only}"`;
  throw bundleTrustErrors.error("BUNDLE_OTHER_DEPLOYMENT", message);
}

function assertNewer({ seen, runs }: TrustQuestion, version: number, manifest: string): void {
  if (seen === undefined || version > seen.version) return;
  if (version < seen.version && runs?.version === version && runs.manifest === manifest) return;
  if (version < seen.version) {
    const message = `the bundle has version ${version}, and this site has had version ${seen.version}`;
    throw bundleTrustErrors.error("BUNDLE_ROLLBACK", message);
  }
  if (manifest === seen.manifest) return;
  const message = `version ${version} of this site is ${seen.manifest}, and this bundle of the same version is ${manifest}`;
  throw bundleTrustErrors.error("BUNDLE_EQUIVOCATION", message);
}

function warningsOf({ predicate: { created, warnAfter } }: Statement, now: Date): readonly TrustWarning[] {
  const at = momentOf(now);
  if (at < created) {
    const message = `it says that it was made at ${created}, and here is ${at}: one of the two clocks is wrong`;
    return [{ code: "BUNDLE_IN_FUTURE", message }];
  }
  if (at <= warnAfter) return [];
  const message = `it was made at ${created}, and from ${warnAfter} on there should be a newer one: ask for it`;
  return [{ code: "BUNDLE_PAST_DATE", message }];
}
