import type { DatabaseSync } from "node:sqlite";
import type { ProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { backendErrors } from "../errors.ts";
import { transaction } from "./database.ts";

/** An HPKE public key of custody, as it stands in bundles and updates. */
export type Recipient = ProvisioningBundle["recipient"][number];

/** The public keys that sensors encrypt to. */
export interface Recipients {
  readonly list: () => readonly Recipient[];
  /** The same, for whoever cannot do without. @throws RECIPIENT_NONE */
  readonly require: () => readonly Recipient[];
  /** Replaces them all. */
  readonly replace: (recipients: readonly Recipient[]) => void;
}

/** The public keys that custody announced, in its order of use. */
export function createRecipients(db: DatabaseSync): Recipients {
  const list = (): readonly Recipient[] =>
    db
      .prepare("SELECT key_id, public_key, not_before FROM recipient ORDER BY not_before, key_id")
      .all()
      .map((row) => ({
        key_id: String(row.key_id),
        public_key: String(row.public_key),
        not_before: String(row.not_before),
      }));
  return {
    list,
    require: () => {
      const recipients = list();
      if (recipients.length > 0) return recipients;
      throw backendErrors.error("RECIPIENT_NONE", "no recipient key is set");
    },
    replace: (recipients) =>
      transaction(db, () => {
        db.exec("DELETE FROM recipient");
        const insert = db.prepare("INSERT INTO recipient (key_id, public_key, not_before) VALUES (?, ?, ?)");
        for (const { key_id, public_key, not_before } of recipients) insert.run(key_id, public_key, not_before);
      }),
  };
}
