import { armor, Decrypter, Encrypter } from "age-encryption";
import { escrowErrors } from "./errors.ts";
import type { Holder } from "./holders.ts";

const BINARY = "age-encryption.org/v1";
const ARMORED = "-----BEGIN AGE ENCRYPTED FILE-----";

/**
 * Refuses a holder's recipient that nothing can be encrypted to.
 * @throws CUSTODY_ESCROW_HOLDER
 */
export async function assertRecipients(holders: readonly Holder[]): Promise<void> {
  for (const { name, recipient } of holders) {
    if (recipient === undefined) continue;
    try {
      encrypterTo(recipient);
    } catch {
      // The library's message would quote what was given, which may be an identity by mistake.
      const message = `the recipient of the holder "${name}" is none that age knows; accepted: age1…`;
      throw escrowErrors.error("CUSTODY_ESCROW_HOLDER", message, { path: `custody.escrow.holders.${name}` });
    }
  }
}

/** A share's text as an armored age file for one recipient: `age -d -i IDENTITY FILE` opens it. */
export async function encryptShare(recipient: string, text: string): Promise<string> {
  return armor.encode(await encrypterTo(recipient).encrypt(`${text}\n`));
}

/** Whether bytes are an age file, armored or not. */
export function isAgeFile(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 64)).toString("latin1").trimStart();
  return start.startsWith(BINARY) || start.startsWith(ARMORED);
}

/**
 * The text in an age file.
 * @param identities contents of identity files: one `AGE-SECRET-KEY-…` a line, lines with `#` are comments
 * @param source of the share, for messages
 * @throws CUSTODY_SHARE_UNREADABLE
 */
export async function decryptShare(bytes: Uint8Array, identities: readonly string[], source: string): Promise<string> {
  const decrypter = new Decrypter();
  const lines = identities.flatMap((text) => text.split("\n")).map((line) => line.trim());
  try {
    for (const line of lines) if (line !== "" && !line.startsWith("#")) decrypter.addIdentity(line);
  } catch {
    throw unreadable(source, "an identity file has a line that is no age identity");
  }
  try {
    const armored = Buffer.from(bytes).toString("latin1").trimStart().startsWith(ARMORED);
    return await decrypter.decrypt(armored ? armor.decode(Buffer.from(bytes).toString("latin1")) : bytes, "text");
  } catch {
    throw unreadable(source, `none of ${identities.length} identity files opens it, or it is damaged`);
  }
}

function encrypterTo(recipient: string): Encrypter {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter;
}

function unreadable(source: string, why: string): Error {
  return escrowErrors.error("CUSTODY_SHARE_UNREADABLE", `the age file "${source}" stays closed: ${why}`, {
    path: source,
  });
}
