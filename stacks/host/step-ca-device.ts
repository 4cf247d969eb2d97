import { readFileSync } from "node:fs";
import type { OnlineClass } from "../../certs/names.ts";
import { signersErrors } from "../../certs/signers/errors.ts";
import { readSecretFile } from "../../certs/signers/secret-file.ts";
import { KEY_SECRETS, tpmKeySecret } from "../../modules/step-ca/issuing-key.ts";
import { messageOf } from "../../shared/errors.ts";
import { isKeyElsewhere, type KeyElsewhere, readKeyPlace } from "./authority-key.ts";
import { holds, writePrivate } from "./files.ts";

/** An online authority whose key is on a device, and where its secrets go. */
export interface DeviceSecretsRequest {
  readonly authoritiesDir: string;
  readonly leafClass: OnlineClass;
  /** File of one of its secrets on this machine. */
  readonly secretFile: (secret: string) => string;
}

/**
 * Puts in the secret store what an online authority needs to use its key where that is: a token's PIN, or the file that one TPM
 * alone can open. Neither is a key. Where the key is in a file it does nothing.
 * @throws SIGNER_SECRET_UNREADABLE, SIGNER_KEY_MISSING, STATE_CORRUPT
 */
export function fillDeviceSecrets({ authoritiesDir, leafClass, secretFile }: DeviceSecretsRequest): void {
  if (!isKeyElsewhere(authoritiesDir, leafClass)) return;
  const place = readKeyPlace(authoritiesDir, leafClass);
  const put = (secret: string, content: string): void => {
    const path = secretFile(secret);
    if (!holds(path, content)) writePrivate(path, content);
  };
  if (place.kind === "pkcs11") put(KEY_SECRETS.pin, readSecretFile(place.pinFile));
  if (place.kind === "tpm2") put(tpmKeySecret(leafClass), readKeyFile(place));
}

function readKeyFile({ file }: Extract<KeyElsewhere, { readonly kind: "tpm2" }>): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw signersErrors.error("SIGNER_KEY_MISSING", `the TPM's key file cannot be read: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}
