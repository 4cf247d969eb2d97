import { z } from "zod";
import { ISSUING_KEYS, ROOT_KEYS } from "../model/deployment.ts";
import { absolutePath, tokenMembers } from "./fields.ts";
import { holdToKind } from "./kind-members.ts";

const keyId = z
  .string()
  .regex(/^[A-Za-z0-9/_:-]{1,256}$/)
  .describe("id of a key in AWS KMS: ECC_NIST_P256, to sign and verify")
  .exactOptional();

const members = {
  ...tokenMembers,
  device: absolutePath("the TPM, such as /dev/tpmrm0, with kind tpm2"),
  folder: absolutePath("the folder of the TPM's key files, with kind tpm2"),
};

const KEYS = ["services", "gateways", "operators"] as const;
const ofItsKind = holdToKind({
  needed: { pkcs11: ["module", "token", "pinFile"], tpm2: ["device", "folder"], "aws-kms": ["region", "keys"] },
});

const root = z
  .strictObject({
    kind: z.enum(ROOT_KEYS).describe(`where the root's private key is: ${ROOT_KEYS.join(", ")}`),
    ...members,
  })
  .superRefine(ofItsKind)
  .describe("a map of kind, and with pkcs11 of module, token, pinFile, with tpm2 of device, folder");

const issuing = z
  .strictObject({
    kind: z
      .enum(ISSUING_KEYS)
      .describe(`where the private keys of issuing authorities are: ${ISSUING_KEYS.join(", ")}`),
    ...members,
    region: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
      .describe("region of the KMS, with kind aws-kms")
      .exactOptional(),
    keys: z
      .strictObject({ services: keyId, gateways: keyId, operators: keyId })
      .superRefine((keys, context) => {
        for (const each of KEYS) {
          if (keys[each] === undefined) context.addIssue({ code: "custom", path: [each], message: "aws-kms needs it" });
        }
      })
      .describe("a map of services, gateways, operators, with kind aws-kms")
      .exactOptional(),
  })
  .superRefine(ofItsKind)
  .describe(
    "a map of kind, and with pkcs11 of module, token, pinFile, with tpm2 of device, folder, with aws-kms of region, keys",
  );

/** The form of `pki` in `trustkern.yaml`: where the private keys of the authorities are. */
export const pkiSchema = z
  .strictObject({ root: root.exactOptional(), issuing: issuing.exactOptional() })
  .describe("where the private keys of the authorities are: a map of root, issuing");
