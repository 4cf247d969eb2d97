import { createPublicKey } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { deviceSigner } from "./device-signer.ts";
import { signersErrors } from "./errors.ts";
import { plainSignature } from "./plain-signature.ts";
import { CURVE_HASH, type Curve, type KeySigner } from "./signer.ts";
import { runTpm, type TpmJob, withTpm } from "./tpm2-job.ts";
import { parseTss2Key } from "./tss2-key.ts";

/** A key that one TPM 2.0 can open, in a file that is nothing without it. */
export interface Tpm2Key {
  /** Path of the TPM, such as `/dev/tpmrm0`, or of a simulator's socket. */
  readonly device: string;
  /** TSS2 PRIVATE KEY, PEM. */
  readonly file: string;
}

const ECC: Readonly<Record<Curve, string>> = { "P-256": "ecc256:ecdsa-sha256", "P-384": "ecc384:ecdsa-sha384" };
const KEY_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign";

/**
 * Makes a key in the TPM and writes its file. The TPM keeps nothing.
 * @throws SIGNER_KEY_EXISTS, SIGNER_CURVE_UNSUPPORTED (many TPMs have P-256 alone: it is for the caller to choose that), and
 * what {@link loadTpm2Signer} throws
 */
export async function createTpm2Signer(key: Tpm2Key, curve: Curve): Promise<KeySigner> {
  if (existsSync(key.file))
    throw signersErrors.error("SIGNER_KEY_EXISTS", "the file is there already", { path: key.file });
  const pem = await withTpm(key.device, async (job) => {
    const files = ["-u", job.path("public"), "-r", job.path("private")];
    const algorithm = ["-G", `${ECC[curve]}:null`, "-g", "sha256", "-a", KEY_ATTRIBUTES];
    await runTpm(job, "tpm2_create", ["-Q", "-C", job.primary, ...algorithm, ...files]);
    await runTpm(job, "tpm2_encodeobject", ["-Q", "-C", job.primary, ...files, "-o", job.path("pem")]);
    return readFileSync(job.path("pem"), "utf8");
  });
  try {
    writeFileAtomic(key.file, pem);
  } catch (cause) {
    throw signersErrors.error("SIGNER_FAILED", `the file cannot be written: ${messageOf(cause)}`, {
      path: key.file,
      fix: "name a folder that is there and may be written",
      cause,
    });
  }
  return loadTpm2Signer(key);
}

/**
 * A signer of a key that this TPM made.
 * @throws SIGNER_KEY_MISSING, SIGNER_KEY_CORRUPT (also when another TPM made it), SIGNER_TOOLS_MISSING, SIGNER_TOKEN_MISSING,
 * SIGNER_PIN_WRONG, SIGNER_PIN_LOCKED, SIGNER_FAILED
 */
export async function loadTpm2Signer(key: Tpm2Key): Promise<KeySigner> {
  const pem = readKey(key.file);
  parseTss2Key(pem, key.file);
  const spki = await withTpm(key.device, async (job) => {
    await loadKey(job, pem, key.file);
    await runTpm(job, "tpm2_readpublic", ["-Q", "-c", job.path("key"), "-f", "pem", "-o", job.path("spki")]);
    return readFileSync(job.path("spki"), "utf8");
  });
  const publicKey = createPublicKey(spki);
  const curve = publicKey.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "P-384" : "P-256";
  return deviceSigner({
    publicKeySpki: publicKey.export({ format: "der", type: "spki" }),
    curve,
    where: `tpm2:device=${key.device};file=${key.file}`,
    signDigest: (digest) => sign(key, pem, digest, curve),
    close: async () => undefined,
  });
}

async function sign(key: Tpm2Key, pem: string, digest: Buffer, curve: Curve): Promise<Buffer> {
  return withTpm(key.device, async (job) => {
    await loadKey(job, pem, key.file);
    writeFileSync(job.path("digest"), digest);
    const hash = CURVE_HASH[curve].replace("-", "").toLowerCase();
    const how = ["-g", hash, "-s", "ecdsa", "-d", "-f", "plain", "-o", job.path("signature")];
    await runTpm(job, "tpm2_sign", ["-Q", "-c", job.path("key"), ...how, job.path("digest")]);
    return plainSignature(AsnConvert.parse(readFileSync(job.path("signature")), ECDSASigValue), curve);
  });
}

async function loadKey(job: TpmJob, pem: string, file: string): Promise<void> {
  const { publicBlob, privateBlob } = parseTss2Key(pem, file);
  writeFileSync(job.path("public"), publicBlob);
  writeFileSync(job.path("private"), privateBlob);
  const files = ["-u", job.path("public"), "-r", job.path("private"), "-c", job.path("key")];
  await runTpm(job, "tpm2_load", ["-Q", "-C", job.primary, ...files]);
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw signersErrors.error("SIGNER_KEY_MISSING", `the file cannot be read: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}
