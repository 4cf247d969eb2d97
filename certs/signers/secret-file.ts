import { readFileSync } from "node:fs";
import { messageOf } from "../../shared/errors.ts";
import { signersErrors } from "./errors.ts";

/**
 * A PIN or passphrase from a file, without the white space at its end.
 * @throws SIGNER_SECRET_UNREADABLE
 */
export function readSecretFile(file: string): string {
  let secret: string;
  try {
    secret = readFileSync(file, "utf8").trimEnd();
  } catch (cause) {
    const message = `the file cannot be read: ${messageOf(cause)}`;
    throw signersErrors.error("SIGNER_SECRET_UNREADABLE", message, { path: file, cause });
  }
  if (secret !== "") return secret;
  throw signersErrors.error("SIGNER_SECRET_UNREADABLE", "the file is empty", { path: file });
}
