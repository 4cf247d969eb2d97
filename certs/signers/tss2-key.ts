import { AsnConvert, AsnProp, AsnPropTypes, AsnType, AsnTypeTypes, OctetString } from "@peculiar/asn1-schema";
import { messageOf } from "../../shared/errors.ts";
import { signersErrors } from "./errors.ts";

/** What the TPM takes to load a key: TPM2B_PUBLIC and TPM2B_PRIVATE (TPM 2.0 Library, part 2). */
export interface Tss2Blobs {
  readonly publicBlob: Buffer;
  readonly privateBlob: Buffer;
}

const LOADABLE_KEY = "2.23.133.10.1.3";
const ARMOR = /^-----BEGIN TSS2 PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)-----END TSS2 PRIVATE KEY-----\n?$/;

/** TPMKey of draft-bottomley-tpm2-keys, section 3.1, without policies, which none of our keys has. */
class TpmKey {
  type = "";
  emptyAuth = true;
  parent = 0;
  pubkey = new OctetString();
  privkey = new OctetString();
}
AsnType({ type: AsnTypeTypes.Sequence })(TpmKey);
AsnProp({ type: AsnPropTypes.ObjectIdentifier })(TpmKey.prototype, "type");
AsnProp({ type: AsnPropTypes.Boolean, context: 0, optional: true })(TpmKey.prototype, "emptyAuth");
AsnProp({ type: AsnPropTypes.Integer })(TpmKey.prototype, "parent");
AsnProp({ type: OctetString })(TpmKey.prototype, "pubkey");
AsnProp({ type: OctetString })(TpmKey.prototype, "privkey");

/**
 * Reads a TPM's key file, as `tpm2_encodeobject`, step-ca and OpenSSL's TPM provider have it.
 * @throws SIGNER_KEY_CORRUPT
 */
export function parseTss2Key(pem: string, path: string): Tss2Blobs {
  try {
    const body = ARMOR.exec(pem)?.[1];
    if (body === undefined) throw new Error("it is not a PEM file TSS2 PRIVATE KEY");
    const { type, pubkey, privkey } = AsnConvert.parse(Buffer.from(body, "base64"), TpmKey);
    if (type !== LOADABLE_KEY) throw new Error(`its type is ${type}`);
    return { publicBlob: Buffer.from(pubkey.buffer), privateBlob: Buffer.from(privkey.buffer) };
  } catch (thrown) {
    throw signersErrors.error("SIGNER_KEY_CORRUPT", `the key file cannot be read: ${messageOf(thrown)}`, { path });
  }
}
