import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { hashOf, NO_RECORD } from "../../certs/ledger/record.ts";
import { messageOf } from "../../shared/errors.ts";
import { type AuditFindingCode, auditFinding, type FindingList } from "./findings.ts";
import { HEAD_GENERATIONS } from "./head.ts";
import { type AuditRecord, parseRecord } from "./record.ts";
import { type Line, readLines, type Segment } from "./segments.ts";
import { readVouch, type SessionClaim } from "./session.ts";

/** What {@link LogWalk} needs. */
export interface WalkOptions {
  /** Of the store's signer. */
  readonly publicKey: KeyObject;
  readonly findings: FindingList;
  /** Numbers of the records that heads are about. */
  readonly wanted: readonly number[];
  /** Is shown each record in order, with its place. @default nobody is */
  readonly onRecord?: ((record: AuditRecord, path: string) => void) | undefined;
}

/** A record that a head is about. */
export interface SeenRecord {
  readonly hash: string;
  /** File name. */
  readonly segment: string;
}

/** Reads a log from its beginning, line by line, and remembers what heads are held against. */
export class LogWalk {
  readonly #publicKey: KeyObject;
  readonly #findings: FindingList;
  readonly #wanted: ReadonlySet<number>;
  readonly #onRecord: WalkOptions["onRecord"];
  readonly #seen = new Map<number, SeenRecord>();
  readonly #sessions: SessionClaim[] = [];
  readonly #generations: number[] = [];
  #last = 0;
  #hash = NO_RECORD;
  #torn: string | null = null;

  constructor({ publicKey, findings, wanted, onRecord }: WalkOptions) {
    this.#onRecord = onRecord;
    this.#publicKey = publicKey;
    this.#findings = findings;
    this.#wanted = new Set(wanted);
  }

  /** Number of the last record. */
  get last(): number {
    return this.#last;
  }

  get lastHash(): string {
    return this.#hash;
  }

  /** Where the log ends in a line that is not whole, if it does. */
  get torn(): string | null {
    return this.#torn;
  }

  /** One of the wanted records. */
  seen(seq: number): SeenRecord | undefined {
    return this.#seen.get(seq);
  }

  /** The session that a record belongs to. */
  sessionOf(seq: number): SessionClaim | undefined {
    return this.#sessions.findLast((session) => session.seq <= seq);
  }

  /** Numbers of the last records of kind `generation`, as the head of that record names them. */
  generationsUpTo(seq: number): readonly number[] {
    return this.#generations.filter((each) => each <= seq).slice(-HEAD_GENERATIONS);
  }

  /** Reads the next segment. */
  async read(folder: string, { name, first }: Segment): Promise<void> {
    if (this.#torn !== null) this.#add("AUDIT_TORN", this.#torn, "is not ended by a line feed");
    this.#torn = null;
    if (first !== this.#last + 1) {
      this.#add("AUDIT_SEGMENT", name, `begins with record ${first}, and record ${this.#last + 1} must follow`);
      this.#last = first - 1;
    }
    let number = 0;
    for await (const line of readLines(join(folder, name))) {
      number += 1;
      await this.#line(line, name, `${name}:${number}`);
    }
  }

  async #line({ bytes, whole }: Line, segment: string, path: string): Promise<void> {
    if (!whole) {
      this.#torn = path;
      return;
    }
    const [seq, prev] = [this.#last + 1, this.#hash];
    this.#hash = hashOf(bytes);
    this.#last = seq;
    if (this.#wanted.has(seq)) this.#seen.set(seq, { hash: this.#hash, segment });
    const record = this.#parse(bytes, path);
    if (record === null) return;
    if (record.seq !== seq) this.#add("AUDIT_SEQUENCE", path, `is record ${record.seq}, and must be ${seq}`);
    if (record.prev !== prev) this.#add("AUDIT_CHAIN", path, "does not follow the line before it");
    this.#onRecord?.(record, path);
    if (record.kind === "session") await this.#session(record, path);
    if (record.kind === "generation") this.#generations.push(seq);
    // Goes on from there, so that one deletion is one finding and not one for each line that follows.
    this.#last = record.seq;
  }

  #parse(bytes: Buffer, path: string): AuditRecord | null {
    try {
      return parseRecord(bytes.toString("utf8"));
    } catch (thrown) {
      this.#add("AUDIT_FORM", path, messageOf(thrown));
      return null;
    }
  }

  async #session(record: AuditRecord & { readonly kind: "session" }, path: string): Promise<void> {
    const claim = await readVouch(record.vouch, this.#publicKey);
    const { seq, prev, publicKey } = record;
    if (claim?.seq === seq && claim.prev === prev && claim.publicKey === publicKey) this.#sessions.push(claim);
    else this.#add("AUDIT_SESSION", path, "is a session that this store does not vouch for");
  }

  #add(code: AuditFindingCode, path: string, message: string): void {
    this.#findings.add(auditFinding(code, path, message));
  }
}
