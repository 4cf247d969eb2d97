import { createPublicKey } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { startChain } from "./chain.ts";
import { openAuditDisk } from "./disk.ts";
import { commitQueue } from "./queue.ts";
import { type AuditEntry, type AuditRecord, assertEntry } from "./record.ts";
import { recoverLog } from "./recover.ts";
import { startSession } from "./session.ts";
import { asAuditError } from "./unavailable.ts";

/** What {@link openAuditLog} needs. */
export interface AuditLogOptions {
  /** Made if it is not there. One process at a time writes in it. */
  readonly folder: string;
  /** The key of the store, P-256: it signs once, and vouches for the key that signs heads until the log is closed. */
  readonly signer: KeySigner;
  readonly clock: () => Date;
  /** How long `append` waits for the disk, in milliseconds. @default 1500 */
  readonly limitMs?: number | undefined;
  /** From this size on, in bytes, a new segment is begun. @default 64 MiB */
  readonly segmentBytes?: number | undefined;
}

/** A log of what is done with keys, to which records are added, and of which nothing is taken away. */
export interface AuditLog {
  /**
   * Adds a record. Resolves when it and a signed head that covers it are on the disk: do what it says after that. Rejects
   * within `limitMs` otherwise; the record is then taken back as soon as the disk allows it, but a process that dies before
   * that may find it in the log afterwards.
   * @throws CUSTODY_AUDIT_UNAVAILABLE, CUSTODY_AUDIT_CORRUPT, CUSTODY_AUDIT_ENTRY
   */
  readonly append: (entry: AuditEntry) => Promise<AuditRecord>;
  /** The confirmed head, a compact JWS. Kept elsewhere, it shows later that nothing before it was changed or cut off. */
  readonly head: () => string;
  /** The last two confirmed records of kind `generation`, oldest first. */
  readonly lastGenerations: () => readonly AuditRecord[];
  /** Waits for what is being written, for `limitMs` at most. Nothing can be added afterwards. */
  readonly close: () => Promise<void>;
}

/**
 * Opens a log, or makes an empty one, and records that it did. What no head counts is cut off: nobody was told of it.
 * @throws CUSTODY_AUDIT_UNAVAILABLE, CUSTODY_AUDIT_CORRUPT, what the signer throws
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { folder, signer, clock, limitMs = 1_500, segmentBytes = 64 * 1024 * 1024 } = options;
  const storeKey = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
  const recovered = await reached(async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return recoverLog(folder, storeKey);
  });
  const session = await startSession(signer, { seq: recovered.seq + 1, prev: recovered.hash });
  const disk = await reached(() => openAuditDisk({ ...recovered, folder, segmentBytes }));
  const chain = startChain({ disk, session, clock, from: recovered });
  const queue = commitQueue({ limitMs, commit: chain.commit });
  const log: AuditLog = {
    append: async (entry) => {
      assertEntry(entry);
      return queue.append(entry);
    },
    head: () => chain.confirmed().head,
    lastGenerations: () => chain.confirmed().generations,
    close: async () => {
      // A file is closed after what is being written to it, and a disk that hangs must not keep anybody.
      const closed = queue.close().then(disk.close);
      await Promise.race([closed, sleep(limitMs, undefined, { ref: false })]);
    },
  };
  try {
    const { claim, vouch } = session;
    const detail = { publicKey: claim.publicKey, vouch, cutBytes: recovered.cutBytes };
    await queue.append({ kind: "session", actor: "custody", detail });
    return log;
  } catch (thrown) {
    await log.close();
    throw thrown;
  }
}

async function reached<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw asAuditError(thrown);
  }
}
