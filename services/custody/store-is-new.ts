import { existsSync } from "node:fs";
import { join } from "node:path";
import { IDENTITY_FILE } from "../../custody/backends/file.ts";
import type { CustodyConfig } from "./config.ts";

/**
 * Whether the next passphrase makes the store, and is not that of one that is there: whoever asks a person for it asks twice then.
 * @returns undefined where no person types one
 */
export function storeIsNew(keyStore: CustodyConfig["keyStore"]): boolean | undefined {
  if (keyStore.kind !== "file" || "identityFile" in keyStore || keyStore.passphraseFile !== undefined) return undefined;
  return !existsSync(join(keyStore.folder, IDENTITY_FILE));
}
