import { createPublicKey } from "node:crypto";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { plainTexts } from "../signed-file/plain-text.ts";
import { type Verification, verdictOf } from "../verify/result.ts";
import { digestOf } from "./digest.ts";
import { engineOf } from "./engine.ts";
import type { Gathered } from "./facts/gather.ts";
import { renderMarkdown } from "./page/markdown.ts";
import { renderPage } from "./page/page.ts";
import type { Facts } from "./schema/facts-schema.ts";
import { PREDICATE_TYPE, type Predicate, type Statement, shownOf } from "./schema/statement.ts";
import { sealStatement } from "./seal.ts";

/** What evidence is made of. */
export interface EvidenceParts extends Gathered {
  readonly verification: Verification;
  /** Names of the files, without a folder. */
  readonly names: { readonly evidence: string; readonly page: string; readonly summary: string };
  readonly signer: KeySigner;
  readonly place: Predicate["signer"]["place"];
  readonly issuedAt: Date;
}

/** The files of one evidence, and what is printed of it. */
export interface Evidence {
  readonly verdict: Predicate["verdict"];
  /** SHA-256 of the public key's SPKI. */
  readonly fingerprint: string;
  /** DSSE envelope, one line. */
  readonly envelope: string;
  readonly page: string;
  readonly summary: string;
  readonly publicKeyPem: string;
}

/**
 * Signs what was found, and renders its two pages, whose digests are signed as well.
 * @throws every SIGNER_ code
 */
export async function buildEvidence(parts: EvidenceParts): Promise<Evidence> {
  const { verification, facts, svg, mermaid, names, signer, place, issuedAt } = parts;
  const fingerprint = fingerprintOf(signer.publicKeySpki);
  const rest = {
    verdict: verdictOf(verification),
    issuedAt: issuedAt.toISOString(),
    signer: { fingerprint, place },
    verification: plainTexts(verification) as Predicate["verification"],
  };
  const shown = shownOf(rest, facts);
  const page = renderPage(shown, svg, names.evidence);
  const summary = renderMarkdown(shown, mermaid, names.evidence);
  const statement: Statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [...subjectsOf(facts), subject(names.page, digestOf(page)), subject(names.summary, digestOf(summary))],
    predicateType: PREDICATE_TYPE,
    predicate: { ...shown, pages: [names.page, names.summary] },
  };
  return {
    verdict: shown.verdict,
    fingerprint,
    envelope: await sealStatement(statement, signer),
    page,
    summary,
    publicKeyPem: createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" })
      .export({ format: "pem", type: "spki" })
      .toString(),
  };
}

/** Every image that is locked, each reference once, and the stack. */
function subjectsOf(facts: Facts): Statement["subject"] {
  const { images, stack } = facts;
  const byReference = new Map(
    images.flatMap(({ reference, digest }) => (digest === null ? [] : [[reference, digest] as const])),
  );
  return [
    ...[...byReference].map(([name, digest]) => subject(name, digest.slice("sha256:".length))),
    subject(engineOf(facts).stackName, stack),
  ];
}

function subject(name: string, sha256: string): Statement["subject"][number] {
  return { name, digest: { sha256 } };
}
