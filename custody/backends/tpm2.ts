import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { runTpm, type TpmJob, withTpm } from "../../certs/signers/tpm2-job.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { custodyStoreErrors } from "./errors.ts";
import type { CustodyClass, KeyStore } from "./key-store.ts";
import { custodyClassOf } from "./tpm2/class.ts";
import { type PcrSelection, parsePcrs } from "./tpm2/pcrs.ts";
import { corruptFile, readCheckedFile, writeCheckedFile } from "./wrapped/checked-file.ts";
import { incompleteFolder, prepareKeyFolder } from "./wrapped/key-folder.ts";
import { aesKeyWrap } from "./wrapped/key-wrap.ts";
import { openWrappedKeys } from "./wrapped/wrapped-keys.ts";

/** Key files that one TPM 2.0 opens, while its host is what it was when they were made. */
export interface Tpm2StoreRef {
  readonly kind: "tpm2";
  /** Path of the TPM, such as `/dev/tpmrm0`, or of a simulator's socket. */
  readonly device: string;
  readonly folder: string;
  /** Bank and registers that the keys are sealed to: `sha256:0,2,4,7`. */
  readonly pcrs: string;
}

const NAME = "wrapping-key";
const KEY_BYTES = 32;
// No authorization value, and nothing but the policy opens it; others' lock-outs of the TPM do not touch it.
const SEALED_ATTRIBUTES = "fixedtpm|fixedparent|noda";

const base64 = z.string().regex(/^[A-Za-z0-9+/]{1,2048}={0,2}$/);
/** TPM2B_PUBLIC and TPM2B_PRIVATE of the sealed object (TPM 2.0 Library, part 2, sections 12.2.5 and 12.3.7). */
const sealedSchema = z.strictObject({ pcrs: z.string(), public: base64, private: base64 });

/**
 * Opens keys that are wrapped by a key that the TPM seals to PCRs (TPM2_PolicyPCR; TPM 2.0 Library, part 3, section 23.7), and
 * makes an empty folder a store. The TPM is asked once, when the store is opened. A discrete TPM hands the wrapping key over
 * its bus in the clear.
 * @throws CUSTODY_PCRS_CHANGED, CUSTODY_PCRS_SELECTION, CUSTODY_STORE_FOREIGN (another TPM, or one that was cleared),
 * SIGNER_TOOLS_MISSING, SIGNER_TOKEN_MISSING, SIGNER_PIN_WRONG (the owner hierarchy has an authorization), SIGNER_PIN_LOCKED,
 * SIGNER_FAILED, and what {@link openWrappedKeys} throws
 */
export async function openTpm2Store(ref: Tpm2StoreRef): Promise<KeyStore> {
  const pcrs = parsePcrs(ref.pcrs);
  const names = prepareKeyFolder(ref.folder);
  const path = join(ref.folder, `${NAME}.tpm2`);
  const { key, custodyClass } = await withTpm(ref.device, async (job) => {
    if (!existsSync(path)) {
      if (names.length > 0) throw incompleteFolder(ref.folder, names, `${NAME}.tpm2`);
      await sealNewKey(job, path, pcrs);
    }
    return { custodyClass: await classOf(job), key: await unsealKey(job, path, pcrs) };
  });
  const where = `tpm2:device=${ref.device};pcrs=${pcrs.text};folder=${ref.folder}`;
  const facts = { kind: "tpm2", custodyClass, keysInUse: "in-memory", where } as const;
  return openWrappedKeys({ folder: ref.folder, wrap: aesKeyWrap(key), facts });
}

async function sealNewKey(job: TpmJob, path: string, pcrs: PcrSelection): Promise<void> {
  await assertMeasured(job, pcrs);
  await runTpm(job, "tpm2_createpolicy", ["-Q", "--policy-pcr", "-l", pcrs.text, "-L", job.path("policy")]);
  const key = randomBytes(KEY_BYTES);
  const how = ["-g", "sha256", "-a", SEALED_ATTRIBUTES, "-L", job.path("policy"), "-i", "-"];
  const files = ["-u", job.path("public"), "-r", job.path("private")];
  try {
    await runTpm(job, "tpm2_create", ["-Q", "-C", job.primary, ...how, ...files], key);
  } finally {
    key.fill(0);
  }
  const read = (name: string): string => readFileSync(job.path(name)).toString("base64");
  const sealed = { pcrs: pcrs.text, public: read("public"), private: read("private") };
  writeCheckedFile(path, NAME, Buffer.from(stableJson(sealed), "utf8"));
}

async function unsealKey(job: TpmJob, path: string, pcrs: PcrSelection): Promise<Buffer> {
  const sealed = parseSealed(path);
  if (sealed.pcrs !== pcrs.text) throw otherSelection(path, sealed.pcrs, pcrs);
  writeFileSync(job.path("public"), Buffer.from(sealed.public, "base64"));
  writeFileSync(job.path("private"), Buffer.from(sealed.private, "base64"));
  const files = ["-u", job.path("public"), "-r", job.path("private"), "-c", job.path("key")];
  try {
    await runTpm(job, "tpm2_load", ["-Q", "-C", job.primary, ...files]);
    const key = await runTpm(job, "tpm2_unseal", ["-c", job.path("key"), "-p", `pcr:${pcrs.text}`]);
    if (key.length === KEY_BYTES) return key;
    key.fill(0);
  } catch (thrown) {
    throw refusalOf(thrown, path, pcrs);
  }
  throw corruptFile(path, `it does not hold ${KEY_BYTES} bytes`);
}

/** A bank that the TPM does not have would be no condition at all. */
async function assertMeasured(job: TpmJob, pcrs: PcrSelection): Promise<void> {
  const file = job.path("pcrs");
  const length = await runTpm(job, "tpm2_pcrread", ["-Q", pcrs.text, "-o", file]).then(
    () => readFileSync(file).length,
    (thrown: unknown) => {
      if (codeOf(thrown) === "SIGNER_FAILED") return 0;
      throw thrown;
    },
  );
  if (length === pcrs.bytes) return;
  const message = `the TPM does not have all of "${pcrs.text}"`;
  throw custodyStoreErrors.error("CUSTODY_PCRS_SELECTION", message, { path: job.device });
}

async function classOf(job: TpmJob): Promise<CustodyClass> {
  if (job.tcti.startsWith("swtpm:")) return "software";
  return custodyClassOf((await runTpm(job, "tpm2_getcap", ["properties-fixed"])).toString("latin1"));
}

function parseSealed(path: string): z.infer<typeof sealedSchema> {
  const text = readCheckedFile(path, NAME).toString("utf8");
  try {
    return sealedSchema.parse(JSON.parse(text));
  } catch {
    throw corruptFile(path, "its members are not what they should be");
  }
}

function refusalOf(thrown: unknown, path: string, pcrs: PcrSelection): unknown {
  if (codeOf(thrown) === "SIGNER_POLICY_REFUSED") {
    const message = `the registers "${pcrs.text}" are not what they were when the store was made`;
    return custodyStoreErrors.error("CUSTODY_PCRS_CHANGED", message, { path });
  }
  if (codeOf(thrown) !== "SIGNER_KEY_CORRUPT") return thrown;
  const message = "it is whole, and this TPM did not seal it, or was cleared since";
  return custodyStoreErrors.error("CUSTODY_STORE_FOREIGN", message, { path });
}

function codeOf(thrown: unknown): string | null {
  return thrown instanceof TrustKernError ? thrown.code : null;
}

function otherSelection(path: string, sealed: string, { text }: PcrSelection): Error {
  const message = `the store is sealed to "${sealed}", and "${text}" is asked for`;
  return custodyStoreErrors.error("CUSTODY_PCRS_SELECTION", message, { path });
}
