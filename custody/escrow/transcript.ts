import { createHash } from "node:crypto";
import { z } from "zod";
import { transcriptDigest } from "../../certs/ceremony/transcript.ts";
import { readJws } from "../../certs/signers/read-jws.ts";
import { signJws } from "../../certs/signers/sign-jws.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { messageOf } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { escrowErrors } from "./errors.ts";
import { HOLDER_OPERATORS } from "./holders.ts";
import { ceremonyPublicKey } from "./secrets.ts";

/** What a line of a transcript is about. */
export const CEREMONY_ACTS = ["made", "rehearsed", "reshared", "restored"] as const;

/** One of {@link CEREMONY_ACTS}. */
export type CeremonyAct = (typeof CEREMONY_ACTS)[number];

/** The payload's schema, and the JWS's `typ`. */
const SCHEMA = "trustkern.key-ceremony/1";

const hexBytes = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * length}}$`));
const name = z.string().min(1).max(100);

const entrySchema = z.strictObject({
  schema: z.literal(SCHEMA),
  act: z.enum(CEREMONY_ACTS),
  time: z.iso.datetime(),
  tenant: name,
  /** Who conducted it. */
  conductor: name,
  witnesses: z.array(name),
  /** Programs and their versions. */
  versions: z.record(z.string(), z.string()),
  keyId: hexBytes(8),
  /** Raw X25519 of the generation. */
  publicKey: hexBytes(32),
  /** The set of shares that is in force after it. */
  setId: hexBytes(8),
  threshold: z.int(),
  /** Of the escrow file of that set. */
  escrowSha256: hexBytes(32),
  /** Who holds that set, in the order of the shares' numbers. */
  holders: z.array(z.strictObject({ name, operator: z.enum(HOLDER_OPERATORS), recipient: z.string().optional() })),
  /** Numbers of the shares that were brought: of the set in force before. @default none were needed */
  used: z.array(z.int()).optional(),
  /** The set that a re-share replaced. */
  replaces: hexBytes(8).optional(),
  /** The generation package that was made: whose import key opens it, and its SHA-256. */
  package: z.strictObject({ importKey: hexBytes(32), sha256: hexBytes(32) }).optional(),
  /** SHA-256 of the compact JWS of the line before. @default this is the first */
  follows: hexBytes(32).optional(),
});

/** One ceremony of a generation: it was made, rehearsed, re-shared or restored. */
export type CeremonyEntry = z.output<typeof entrySchema>;

/**
 * A transcript with one more line. Each line is a compact JWS (RFC 7515) by the ceremony key, which lies in the escrow: a
 * signature is itself proof that a quorum was there.
 * @param before the lines so far, which were verified; empty for none
 */
export async function appendEntry(
  before: string,
  entry: Omit<CeremonyEntry, "follows">,
  ceremonyKey: KeySigner,
): Promise<string> {
  const last = linesOf(before).at(-1);
  const whole: CeremonyEntry = last === undefined ? entry : { ...entry, follows: transcriptDigest(last) };
  const jws = await signJws(ceremonyKey, { typ: SCHEMA }, Buffer.from(stableJson(whole)));
  return `${before}${jws}\n`;
}

/**
 * What a transcript says, once every line is found to be signed by the ceremony key, about its generation, and after the
 * line before it. Lines that were cut off its end are missed by who has the hash of a later one.
 * @param of `ceremonyKey` is its SubjectPublicKeyInfo, base64; from an escrow file that was opened, or from paper
 * @param path of the file, for messages
 * @throws CUSTODY_KEY_TRANSCRIPT_INVALID
 */
export async function openEntries(
  text: string,
  of: { readonly ceremonyKey: string; readonly keyId: string },
  path: string,
): Promise<readonly CeremonyEntry[]> {
  const entries: CeremonyEntry[] = [];
  let before: string | undefined;
  for (const [at, jws] of linesOf(text).entries()) {
    try {
      const entry = await openEntry(jws, of.ceremonyKey);
      if (entry.keyId !== of.keyId) throw new Error(`it is about generation ${entry.keyId}, not ${of.keyId}`);
      if (entry.follows !== (before && transcriptDigest(before))) throw new Error("it does not follow the line before");
      entries.push(entry);
      before = jws;
    } catch (thrown) {
      const message = `line ${at + 1} of the transcript: ${messageOf(thrown)}`;
      throw escrowErrors.error("CUSTODY_KEY_TRANSCRIPT_INVALID", message, { path });
    }
  }
  return entries;
}

/** SHA-256, lower-case hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function openEntry(jws: string, ceremonyKey: string): Promise<CeremonyEntry> {
  const read = await readJws(jws, SCHEMA, ceremonyPublicKey(ceremonyKey));
  if (read === null) throw new Error("the ceremony key did not sign it");
  return entrySchema.parse(read.payload);
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
