import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { custodyManagement, MANAGE_MS } from "../custody-management.ts";
import { hostFiles } from "../store-files.ts";
import { generationErrors } from "./errors.ts";

/** Folder of a state directory with what this host keeps of custody. No secret is in it. */
export function custodyFolder(stateDir: string): string {
  return join(stateDir, "custody");
}

function pinFile(stateDir: string): string {
  return join(custodyFolder(stateDir), "signer.pem");
}

/**
 * Pins the public key of custody's signer where none is pinned yet, and holds it to the pinned one afterwards.
 * @param spki P-256, SPKI in DER
 * @throws KEYS_SIGNER_CHANGED, KEYS_SIGNER_UNKNOWN for a file that is no key
 */
export function pinSigner(stateDir: string, spki: Uint8Array): KeyObject {
  const shown = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  if (!existsSync(pinFile(stateDir))) {
    hostFiles.write(pinFile(stateDir), shown.export({ type: "spki", format: "pem" }).toString());
    return shown;
  }
  const pinned = pinnedSigner(stateDir);
  if (pinned.equals(shown)) return pinned;
  const message = `custody shows ${fingerprint(shown)}, and ${fingerprint(pinned)} is pinned`;
  throw generationErrors.error("KEYS_SIGNER_CHANGED", message, { path: pinFile(stateDir) });
}

/**
 * The public key that custody's audit log is verified with.
 * @throws KEYS_SIGNER_UNKNOWN
 */
export function pinnedSigner(stateDir: string): KeyObject {
  return signerIn(pinFile(stateDir));
}

/**
 * The public key in a file, PEM.
 * @throws KEYS_SIGNER_UNKNOWN
 */
export function signerIn(file: string): KeyObject {
  try {
    return createPublicKey(readFileSync(file));
  } catch (cause) {
    throw generationErrors.error("KEYS_SIGNER_UNKNOWN", `no public key in "${file}": ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}

/**
 * {@link pinSigner} with the key that custody shows.
 * @throws CUSTODY_SEALED, GRPC_UNREACHABLE, KEYS_SIGNER_CHANGED
 */
export async function pinShownSigner(stateDir: string, manageSocket: string): Promise<void> {
  const management = custodyManagement(manageSocket);
  try {
    const { signerPublicKey } = await management.call("auditHead", {}, MANAGE_MS);
    pinSigner(stateDir, signerPublicKey);
  } finally {
    management.close();
  }
}

function fingerprint(key: KeyObject): string {
  return `SHA-256 ${createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex")}`;
}
