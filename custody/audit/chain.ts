import { hashOf } from "../../certs/ledger/record.ts";
import type { AuditDisk } from "./disk.ts";
import { HEAD_GENERATIONS, signHead } from "./head.ts";
import { type AuditEntry, type AuditRecord, placeEntry, renderRecord, type SessionEntry } from "./record.ts";
import type { Recovered } from "./recover.ts";
import type { Session } from "./session.ts";

/** What {@link startChain} needs. */
export interface ChainOptions {
  readonly disk: AuditDisk;
  readonly session: Session;
  readonly clock: () => Date;
  /** What the new records follow. */
  readonly from: Pick<Recovered, "seq" | "hash" | "generations">;
}

/** How far a log is confirmed. */
export interface Confirmed extends Pick<Recovered, "seq" | "hash" | "generations"> {
  /** The signed head; empty before the first record of this session. */
  readonly head: string;
}

/** The end of a log in memory, which is never ahead of the disk. */
export interface Chain {
  readonly confirmed: () => Confirmed;
  /**
   * Puts entries in their places, and them and their head on the disk.
   * @throws what the disk throws; nothing has changed then
   */
  readonly commit: (
    entries: readonly (AuditEntry | SessionEntry)[],
    wanted: () => boolean,
  ) => Promise<readonly AuditRecord[]>;
}

/** Continues a log from its last confirmed record. */
export function startChain({ disk, session, clock, from }: ChainOptions): Chain {
  let confirmed: Confirmed = { ...from, head: "" };
  return {
    confirmed: () => confirmed,
    commit: async (entries, wanted) => {
      const at = clock().toISOString();
      let { seq, hash } = confirmed;
      const first = seq + 1;
      const added = entries.map((entry) => {
        seq += 1;
        const record = placeEntry(entry, { seq, prev: hash, at });
        const line = renderRecord(record);
        hash = hashOf(line);
        return { record, line };
      });
      const records = added.map(({ record }) => record);
      const generations = [...confirmed.generations, ...records.filter(isGeneration)].slice(-HEAD_GENERATIONS);
      let head = "";
      const sign = async (segment: string): Promise<string> => {
        const pointers = generations.map((record) => record.seq);
        head = await signHead({ seq, hash, at, segment, generations: pointers }, session);
        return head;
      };
      const lines = Buffer.from(added.map(({ line }) => `${line}\n`).join(""));
      await disk.commit({ lines, first, head: sign, wanted });
      confirmed = { seq, hash, generations, head };
      return records;
    },
  };
}

function isGeneration({ kind }: AuditRecord): boolean {
  return kind === "generation";
}
