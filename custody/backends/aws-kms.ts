import type { KeyMetadata } from "@aws-sdk/client-kms";
import type { KeyStore } from "./key-store.ts";
import { type AwsKms, type AwsKmsWrapKey, connectAwsKms, kmsError, type LoadSdk } from "./remote/aws-kms-client.ts";
import type { KeyWrap } from "./wrapped/key-wrap.ts";
import { openWrappedKeys } from "./wrapped/wrapped-keys.ts";

/** A folder of key files, which a key of AWS KMS wraps. */
export interface AwsKmsStoreRef extends AwsKmsWrapKey {
  readonly kind: "aws-kms";
  readonly folder: string;
}

const loadSdk: LoadSdk = () => import("@aws-sdk/client-kms");

/**
 * Opens keys that AWS KMS wraps, and makes an empty folder a store. The wrapping key stays in KMS; the decryption keys go
 * through it, each with its key id as encryption context, and are in this process's memory while the store is open. The
 * credentials need `kms:DescribeKey`, `kms:Encrypt` and `kms:Decrypt` of that one key.
 * @param load @default the installed package
 * @throws CUSTODY_STORE_WRAP_KEY_UNFIT for a key that is not symmetric, not enabled, of many regions or of another region,
 * what {@link connectAwsKms} and {@link openWrappedKeys} throw
 */
export async function openAwsKmsStore(ref: AwsKmsStoreRef, load: LoadSdk = loadSdk): Promise<KeyStore> {
  const kms = await connectAwsKms(ref, load);
  try {
    const arn = fitArn(ref, await kms.describe(ref.keyId));
    const where = `aws-kms:region=${ref.region};key-id=${ref.keyId};folder=${ref.folder}`;
    const facts = { kind: "aws-kms", custodyClass: "hardware", keysInUse: "in-memory", where } as const;
    return await openWrappedKeys({ folder: ref.folder, wrap: kmsWrap(ref, kms, arn), facts, shared: true });
  } catch (thrown) {
    kms.close();
    throw thrown;
  }
}

function kmsWrap(ref: AwsKmsStoreRef, kms: AwsKms, arn: string): KeyWrap {
  const about = (context: string) => ({ KeyId: arn, EncryptionContext: { "trustkern-key": context } });
  const fail = (what: string): Error => kmsError(ref, "CUSTODY_STORE_SERVICE_FAILED", what);
  return {
    wrap: async (bytes, context) => {
      const { KeyId, CiphertextBlob } = await kms.encrypt({ ...about(context), Plaintext: bytes });
      if (KeyId !== arn) throw fail(`Encrypt took the key "${KeyId}"`);
      if (CiphertextBlob) return Buffer.from(CiphertextBlob);
      throw fail("Encrypt answers without a ciphertext");
    },
    unwrap: async (wrapped, context) => {
      const opened = await kms.decrypt({ ...about(context), CiphertextBlob: wrapped });
      if (opened === null) return null;
      if (opened.KeyId !== arn) throw fail(`Decrypt took the key "${opened.KeyId}"`);
      if (opened.Plaintext === undefined) throw fail("Decrypt answers without a plaintext");
      const { buffer, byteOffset, length } = opened.Plaintext;
      return Buffer.from(buffer, byteOffset, length);
    },
    close: async () => kms.close(),
  };
}

/** The ARN of a key that is what a wrap wants, in the region that was named: an alias may come to name another key. */
function fitArn(ref: AwsKmsStoreRef, described: KeyMetadata): string {
  const { Arn = "", KeyId, KeyUsage, KeySpec, KeyState, MultiRegion } = described;
  const [, partition, service, region, , resource] = Arn.split(":");
  const unfit = [
    (!partition?.startsWith("aws") || service !== "kms" || resource !== `key/${KeyId}`) && `its ARN is "${Arn}"`,
    region !== ref.region && `its region is "${region}"`,
    ref.keyId !== Arn && ref.keyId !== KeyId && `it is another key, "${KeyId}"`,
    KeyUsage !== "ENCRYPT_DECRYPT" && `it is for ${KeyUsage}, accepted: ENCRYPT_DECRYPT`,
    KeySpec !== "SYMMETRIC_DEFAULT" && `it is of ${KeySpec}, accepted: SYMMETRIC_DEFAULT`,
    KeyState !== "Enabled" && `its state is ${KeyState}, accepted: Enabled`,
    MultiRegion === true && "it is a multi-Region key, of which other regions have copies",
  ].filter((each) => each !== false);
  if (unfit.length === 0) return Arn;
  throw kmsError(ref, "CUSTODY_STORE_WRAP_KEY_UNFIT", `the wrapping key is not fit: ${unfit.join("; ")}`);
}
