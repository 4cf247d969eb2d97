import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import { digestOf } from "../format/manifest.ts";
import { type Envelope, payloadOf } from "./envelope.ts";
import { bundleTrustErrors } from "./errors.ts";
import { digestField, momentField, nameField } from "./fields.ts";
import { strictJson } from "./strict-json.ts";

/** DSSE payload type of an in-toto statement. */
export const STATEMENT_TYPE = "application/vnd.in-toto+json";

/** in-toto's TypeURI of the predicate: nobody else's, and it need not resolve. */
const PREDICATE_TYPE = "urn:uuid:7c4391f1-b5d9-438b-8a63-0b49a77cef22";

/** Highest version of a bundle. */
export const MAX_VERSION = 2 ** 31 - 1;

const sha256 = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const statementSchema = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z.tuple([
    z.strictObject({ name: z.literal("manifest.json"), digest: sha256 }),
    z.strictObject({ name: z.literal("SHA256SUMS"), digest: sha256 }),
  ]),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z
    .strictObject({
      schema: z.literal("trustkern.bundle-statement/1"),
      tenant: nameField,
      deployment: nameField,
      /** Higher with every bundle of a deployment. */
      version: z.int().min(1).max(MAX_VERSION),
      created: momentField,
      /** From then on a site is told that there should be a newer one. */
      warnAfter: momentField,
      /** Version of the root of trust by which its signers count. */
      rootVersion: z.int().min(1).max(9999),
      /** Digest of the manifest that a delta is applied to. @default none: the bundle is full */
      base: digestField.exactOptional(),
    })
    .refine(({ created, warnAfter }) => created < warnAfter, { path: ["warnAfter"], error: "not after created" }),
});

/** What is signed of a bundle: an in-toto Statement v1 over its manifest and its checksums. */
export type Statement = Readonly<z.output<typeof statementSchema>>;

/** What a statement says of a bundle. */
export type StatementFacts = Omit<Statement["predicate"], "schema">;

/** The bytes that are signed. */
export function renderStatement(facts: StatementFacts, manifestBytes: Uint8Array, sums: Uint8Array): Buffer {
  const subject = (name: string, bytes: Uint8Array) => ({
    name,
    digest: { sha256: digestOf(bytes).slice("sha256:".length) },
  });
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [subject("manifest.json", manifestBytes), subject("SHA256SUMS", sums)],
    predicateType: PREDICATE_TYPE,
    predicate: { ...facts, schema: "trustkern.bundle-statement/1" },
  };
  return Buffer.from(stableJson(statementSchema.parse(statement)));
}

/**
 * The statement of an envelope, whose signatures nobody has looked at yet.
 * @throws BUNDLE_SLOT_MALFORMED
 */
export function statementOf(envelope: Envelope): Statement {
  const refuse = (why: string) => bundleTrustErrors.error("BUNDLE_SLOT_MALFORMED", `no statement of a bundle: ${why}`);
  if (envelope.payloadType !== STATEMENT_TYPE) throw refuse(`it is signed as ${envelope.payloadType}`);
  return strictJson(statementSchema, payloadOf(envelope), refuse);
}

/** Digest of the manifest that a statement is of. */
export function manifestDigestOf({ subject: [manifest] }: Statement): string {
  return `sha256:${manifest.digest.sha256}`;
}
