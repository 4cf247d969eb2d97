import { createHash, type KeyObject } from "node:crypto";
import type { Finding } from "../../../shared/finding.ts";
import { fingerprintOf } from "../../../stacks/host/trust/signing-key.ts";
import { isInFuture, tooOld } from "../../signed-file/age.ts";
import { evidenceErrors } from "../errors.ts";
import type { Predicate, Statement } from "../schema/statement.ts";
import { contradictionsIn } from "./consistency.ts";
import { openEvidence } from "./open.ts";

/** What evidence is held against. */
export interface EvidenceCheck {
  /** The bytes of the evidence. */
  readonly file: Uint8Array;
  /** The key that is trusted, from elsewhere. */
  readonly key: KeyObject;
  readonly at: Date;
  /** Version of this toolkit. */
  readonly toolkit: string;
  /** Whose evidence it has to be. @default anybody's */
  readonly of?: { readonly deployment?: string | undefined; readonly tenant?: string | undefined } | undefined;
  /** Counted from the start of the verification. @default evidence of any age is taken */
  readonly maxAgeSeconds?: number | undefined;
  /** Bytes of a page beside the evidence, by its file name; undefined where it is not there. */
  readonly pageOf: (name: string) => Uint8Array | undefined;
}

/** What became of a page that was signed. */
export interface PageState {
  readonly name: string;
  readonly state: "as-signed" | "changed" | "not-here";
}

/** Evidence whose signature is good, and what is wrong with it all the same. */
export interface EvidenceReport {
  readonly statement: Statement;
  readonly pages: readonly PageState[];
  readonly findings: readonly Finding[];
}

/**
 * Verifies evidence without a network or a deployment.
 * @throws EVIDENCE_MALFORMED, EVIDENCE_BAD_SIGNATURE; what is signed and wrong is a finding
 */
export function verifyEvidence(check: EvidenceCheck): EvidenceReport {
  const statement = openEvidence(check.file, check.key);
  const pages = statement.predicate.pages.map((name) => stateOf(name, statement, check.pageOf(name)));
  return {
    statement,
    pages,
    findings: [
      ...versionFindings(statement.predicate, check.toolkit),
      ...contradictionsIn(statement).filter(() => statement.predicate.facts.versions.toolkit === check.toolkit),
      ...signerFindings(statement.predicate, check.key),
      ...ofOtherFindings(statement.predicate, check),
      ...ageFindings(statement.predicate, check),
      ...pages
        .filter(({ state }) => state === "changed")
        .map(({ name }) => finding("EVIDENCE_PAGE_CHANGED", name, "is not the page that was signed")),
    ],
  };
}

function stateOf(name: string, { subject }: Statement, bytes: Uint8Array | undefined): PageState {
  if (bytes === undefined) return { name, state: "not-here" };
  const digest = createHash("sha256").update(bytes).digest("hex");
  const signed = subject.some((each) => each.name === name && each.digest.sha256 === digest);
  return { name, state: signed ? "as-signed" : "changed" };
}

function versionFindings({ facts }: Predicate, toolkit: string): readonly Finding[] {
  const { toolkit: wrote } = facts.versions;
  if (wrote === toolkit) return [];
  const message = `toolkit ${wrote} wrote it, and this is ${toolkit}: signature, form and age are verified, checks and lines are not`;
  return [finding("EVIDENCE_OTHER_VERSION", "predicate.facts.versions.toolkit", message)];
}

function signerFindings({ signer }: Predicate, key: KeyObject): readonly Finding[] {
  if (signer.fingerprint === fingerprintOf(key)) return [];
  return [finding("EVIDENCE_INCONSISTENT", "predicate.signer.fingerprint", "is not that of the key that signed it")];
}

function ageFindings({ issuedAt, verification }: Predicate, { at, maxAgeSeconds }: EvidenceCheck): readonly Finding[] {
  if (isInFuture(issuedAt, at))
    return [finding("EVIDENCE_IN_FUTURE", "predicate.issuedAt", `is ${issuedAt}, and now is ${at.toISOString()}`)];
  // What counts is when it was seen, and not when somebody signed that.
  const { startedAt } = verification;
  const age = tooOld(startedAt, at, maxAgeSeconds);
  if (age === undefined) return [];
  const message = `is ${startedAt}, ${age} ago, which is more than was asked for`;
  return [finding("EVIDENCE_TOO_OLD", "predicate.verification.startedAt", message)];
}

/** Evidence of another deployment is true, and says nothing of the one that was asked for. */
function ofOtherFindings({ verification }: Predicate, { of }: EvidenceCheck): readonly Finding[] {
  return (["deployment", "tenant"] as const).flatMap((member) => {
    const asked = of?.[member];
    if (asked === undefined || asked === verification[member]) return [];
    const message = `is "${verification[member]}", and "${asked}" was asked for`;
    return [finding("EVIDENCE_OTHER_DEPLOYMENT", `predicate.verification.${member}`, message)];
  });
}

function finding(code: keyof typeof evidenceErrors.entries, path: string, message: string): Finding {
  return { code, path, message, fix: evidenceErrors.entries[code].fix };
}
