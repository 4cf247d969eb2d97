import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import { sha256, time, word } from "../../signed-file/fields.ts";
import { clusterFactsSchema, dockerFactsSchema, type Facts } from "./facts-schema.ts";
import { verificationSchema } from "./verification-schema.ts";

/** DSSE payload type of an in-toto statement (in-toto attestation framework, v1). */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** Type of our predicate: a URI that is nobody's address, and never another's (RFC 9562, section 5.4). */
export const PREDICATE_TYPE = "urn:uuid:5442d8d2-03d0-40a7-861c-32322360e005";

const subject = z.strictObject({ name: word, digest: z.strictObject({ sha256 }) });

/** Members of every predicate but for those that its engine has a form of. */
const members = {
  /** Of the results: `broken` where one is, `proven` where every one is. */
  verdict: z.enum(["proven", "broken", "not-proven"]),
  issuedAt: time,
  /** The key that signs, by the SHA-256 of its SPKI, and where it is: what whoever controls the host can sign depends on it. */
  signer: z.strictObject({ fingerprint: sha256, place: z.enum(["host", "age-file", "root-device"]) }),
  verification: verificationSchema,
  /** The pages that were written of this evidence, by their file names, which are subjects as well. */
  pages: z.array(z.string().regex(/^[\w.-]+\.(html|md)$/)),
} as const;

const dockerSchema = z.literal("trustkern.evidence/1");
const clusterSchema = z.literal("trustkern.evidence/2");

/** One form for each engine: 1 is of docker, and as it was before there was another; 2 says its engine, which is a cluster. */
const predicateSchema = z.discriminatedUnion("schema", [
  z.strictObject({ schema: dockerSchema, ...members, facts: dockerFactsSchema }),
  z.strictObject({ schema: clusterSchema, ...members, facts: clusterFactsSchema }),
]);

/** An in-toto Statement, v1: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. */
export const statementSchema = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z.array(subject).min(1),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: predicateSchema,
});

/** {@link statementSchema}. */
export type Statement = z.infer<typeof statementSchema>;

/** What is said of the subjects. */
export type Predicate = z.infer<typeof predicateSchema>;

/** A page of evidence: everything but the digests of the pages. */
export type Shown = Predicate extends infer Each ? (Each extends Predicate ? Omit<Each, "pages"> : never) : never;

/** A predicate of these facts, in the form that their engine has. */
export function shownOf(rest: Omit<Shown, "schema" | "facts">, facts: Facts): Shown {
  return "engine" in facts
    ? { schema: clusterSchema.value, ...rest, facts }
    : { schema: dockerSchema.value, ...rest, facts };
}

/** The bytes that are signed: equal statements are equal bytes. */
export function renderStatement(statement: Statement): Buffer {
  return Buffer.from(stableJson(statement));
}
