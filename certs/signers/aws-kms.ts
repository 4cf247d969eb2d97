import { createPublicKey } from "node:crypto";
import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";
import { messageOf } from "../../shared/errors.ts";
import { deviceSigner } from "./device-signer.ts";
import { signersErrors } from "./errors.ts";
import { plainSignature } from "./plain-signature.ts";
import { runDeviceProgram } from "./program.ts";
import type { KeySigner } from "./signer.ts";

/** A key in AWS KMS. The `aws` command line reaches it, with the credentials that it finds by itself. */
export interface AwsKmsKey {
  readonly region: string;
  readonly keyId: string;
}

const SPECS = { ECC_NIST_P256: "P-256", ECC_NIST_P384: "P-384" } as const;
const SIGNING = { "P-256": "ECDSA_SHA_256", "P-384": "ECDSA_SHA_384" } as const;

// The words of the service's error codes, as the command line prints them in round brackets.
const WORDS = [
  [/NotFoundException/, "SIGNER_KEY_MISSING"],
  [/DisabledException|KMSInvalidStateException|InvalidKeyUsageException/, "SIGNER_KEY_CORRUPT"],
  [
    /AccessDenied|UnrecognizedClient|ExpiredToken|Unable to locate credentials|InvalidClientTokenId/,
    "SIGNER_PIN_WRONG",
  ],
  [/Could not connect|EndpointConnectionError|timed? ?out/i, "SIGNER_TOKEN_MISSING"],
] as const;

/**
 * A signer of a key that is in AWS KMS, which made it (`aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY`).
 * @throws SIGNER_TOOLS_MISSING, SIGNER_TOKEN_MISSING, SIGNER_KEY_MISSING, SIGNER_KEY_CORRUPT, SIGNER_PIN_WRONG (no permission),
 * SIGNER_CURVE_UNSUPPORTED, SIGNER_FAILED
 */
export async function loadAwsKmsSigner(key: AwsKmsKey): Promise<KeySigner> {
  const where = `aws-kms:region=${key.region};key-id=${key.keyId}`;
  const answer = await kms(key, where, "get-public-key", []);
  const curve = SPECS[answer.KeySpec as keyof typeof SPECS];
  if (curve === undefined || answer.KeyUsage !== "SIGN_VERIFY") {
    const message = `the key is ${String(answer.KeySpec)} for ${String(answer.KeyUsage)}; accepted: ECC_NIST_P256 or ECC_NIST_P384 for SIGN_VERIFY`;
    throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", message, { path: where });
  }
  const spki = Buffer.from(String(answer.PublicKey), "base64");
  const signDigest = async (digest: Buffer): Promise<Buffer> => {
    const how = ["--signing-algorithm", SIGNING[curve], "--message-type", "DIGEST"];
    const signed = await kms(key, where, "sign", [...how, "--message", digest.toString("base64"), ...BASE64_INPUT]);
    return plainSignature(AsnConvert.parse(Buffer.from(String(signed.Signature), "base64"), ECDSASigValue), curve);
  };
  return deviceSigner({ publicKeySpki: normal(spki, where), curve, where, signDigest, close: async () => undefined });
}

// Version 2 of the command line takes binary members in base64, as version 1 does, only when it is told.
const BASE64_INPUT = ["--cli-binary-format", "base64"] as const;

function normal(spki: Buffer, where: string): Buffer {
  try {
    return createPublicKey({ key: spki, format: "der", type: "spki" }).export({ format: "der", type: "spki" });
  } catch {
    throw signersErrors.error("SIGNER_FAILED", "the public key that KMS sends cannot be read", { path: where });
  }
}

async function kms(
  { region, keyId }: AwsKmsKey,
  where: string,
  verb: string,
  args: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const common = ["--region", region, "--key-id", keyId, "--output", "json", "--no-cli-pager"];
  const { code, stdout, stderr } = await runDeviceProgram("aws", ["kms", verb, ...common, ...args]);
  if (code === null) throw signersErrors.error("SIGNER_TOOLS_MISSING", "PATH has no `aws`");
  if (code !== 0) {
    const named = WORDS.find(([pattern]) => pattern.test(stderr))?.[1] ?? "SIGNER_FAILED";
    throw signersErrors.error(named, `aws kms ${verb} ended with code ${code}: ${stderr.trim()}`, { path: where });
  }
  try {
    return JSON.parse(stdout.toString("utf8"));
  } catch (thrown) {
    throw signersErrors.error("SIGNER_FAILED", `aws kms ${verb} printed no JSON: ${messageOf(thrown)}`, {
      path: where,
    });
  }
}
