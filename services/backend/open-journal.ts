import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { openLedger } from "../../certs/ledger/ledger.ts";
import type { Journal } from "./journal.ts";
import type { SigningKey } from "./trust/keys.ts";

/** What {@link openJournal} works with. */
export interface OpenJournalOptions {
  /** Folder of the registry, which holds the journal and its signed head too. */
  readonly stateDir: string;
  /** Signs each head. */
  readonly key: Pick<SigningKey, "pem">;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/**
 * Opens the journal of certificates beside the registry, or makes an empty one.
 * @throws LEDGER_CORRUPT when it was changed by anybody else
 */
export async function openJournal({ stateDir, key, now }: OpenJournalOptions): Promise<Journal> {
  const ledger = await openLedger({
    file: join(stateDir, "ledger.ndjson"),
    headFile: join(stateDir, "ledger.head"),
    signingKey: createPrivateKey(key.pem()),
    clock: () => new Date(now()),
  });
  return {
    append: async (entry) => {
      await ledger.append(entry);
    },
    find: ledger.findBySerial,
    entries: ledger.records,
    read: () => {
      const { text, head } = ledger.evidence();
      return { ledger: text, head };
    },
    close: ledger.close,
  };
}
