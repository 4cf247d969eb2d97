import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../shared/errors.ts";
import { certsErrors } from "./errors.ts";

/**
 * Writes a secret with mode 0600, whole or not at all: a temporary file beside it, synced, then renamed over it.
 * @throws CERT_SECRET_WRITE
 */
export async function writeSecret(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(0o600);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw certsErrors.error("CERT_SECRET_WRITE", `cannot write a secret: ${messageOf(thrown)}`, { path });
  }
}

/** Without it the rename itself may be lost with the power. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
