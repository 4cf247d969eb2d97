import { verify } from "node:crypto";
import { z } from "zod";
import { DIGEST } from "../reference.ts";
import type { SigningKey } from "./signing-key.ts";

/** A signature as cosign makes it with a key: what was signed, and the signature over its bytes. */
export interface ImageSignature {
  /** "Simple signing" document, in base64. */
  readonly payload: string;
  /** ECDSA on P-256 with SHA-256, in DER and then in base64. */
  readonly signature: string;
}

/** What a signature has to be for. */
export interface SignedImage {
  /** Without its registry, such as `trustkern/backend`. */
  readonly repository: string;
  readonly digest: string;
}

// cosign's signature specification, "Simple Signing", on containers-signature(5).
const payloadSchema = z.object({
  critical: z.object({
    identity: z.object({ "docker-reference": z.string().min(1) }),
    image: z.object({ "docker-manifest-digest": z.string().regex(DIGEST) }),
    type: z.literal("cosign container image signature"),
  }),
});

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Why a signature does not hold for an image, or undefined where it does. The repository that it names has to end in the image's:
 * a mirror has another host and path before it, and a signature of one image must not pass for another of the same signer.
 */
export function judgeSignature(
  { payload, signature }: ImageSignature,
  { repository, digest }: SignedImage,
  { key, fingerprint }: SigningKey,
): string | undefined {
  if (![payload, signature].every((text) => text !== "" && BASE64.test(text))) return "a signature is not base64";
  const bytes = Buffer.from(payload, "base64");
  if (!verify("sha256", bytes, key, Buffer.from(signature, "base64")))
    return `a signature is not by the key ${fingerprint}, or not over what lies beside it`;
  const said = parsePayload(bytes);
  if (said === undefined) return "what is signed is no document of cosign about an image";
  const { identity, image } = said.critical;
  if (image["docker-manifest-digest"] !== digest)
    return `a signature is for ${image["docker-manifest-digest"]}, and not for ${digest}`;
  if (!names(identity["docker-reference"], repository))
    return `a signature is for "${identity["docker-reference"]}", and not for ${repository}`;
  return undefined;
}

function parsePayload(bytes: Buffer): z.output<typeof payloadSchema> | undefined {
  try {
    return payloadSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return undefined;
  }
}

/** Whether a reference, with or without a tag or digest, is of a repository in some registry. */
function names(reference: string, repository: string): boolean {
  const [untied = ""] = reference.split("@");
  const colon = untied.indexOf(":", untied.lastIndexOf("/") + 1);
  const name = colon < 0 ? untied : untied.slice(0, colon);
  return name === repository || name.endsWith(`/${repository}`);
}
