import { join } from "node:path";
import { type AuditLog, openAuditLog } from "../../../custody/audit/log.ts";
import { openKeyStore } from "../../../custody/backends/index.ts";
import type { KeyStore } from "../../../custody/backends/key-store.ts";

/** File of the age identity that opens the store in a folder. */
export const IDENTITY = "identity";

/** A machine that tests are slow on is no fault here. */
const SLOW_DISK_MS = 60_000;

/** A real store and a real log in one folder. */
export interface KeyringParts {
  readonly store: KeyStore;
  readonly audit: AuditLog;
  readonly close: () => Promise<void>;
}

/** Opens the file store and the audit log of a folder that has an age identity. */
export async function openParts(folder: string): Promise<KeyringParts> {
  const identityFile = join(folder, IDENTITY);
  const store = await openKeyStore({ kind: "file", folder: join(folder, "store"), identityFile });
  const audit = await openAuditLog({
    folder: join(folder, "audit"),
    signer: store.signer,
    clock: () => new Date(),
    limitMs: SLOW_DISK_MS,
  });
  return {
    store,
    audit,
    close: async () => {
      await audit.close();
      await store.close();
    },
  };
}
