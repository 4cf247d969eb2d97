import { hash, type KeyObject } from "node:crypto";
import type { Finding } from "../../shared/finding.ts";
import { type AuditFindingCode, auditFinding, FindingList } from "../audit/findings.ts";
import type { AuditRecord } from "../audit/record.ts";
import { type AuditEvidence, type AuditVerdict, verifyAuditLog } from "../audit/verify.ts";
import { type Generation, opensFor } from "../generation.ts";
import { applyStatement, type KeyringState, parseStatement, type Writer } from "../keyring/state.ts";

/** What an auditor has of one of several custodies. */
export interface ReplicaEvidence extends Omit<AuditEvidence, "onRecord"> {
  /** By which findings name it, such as `custody-1`. */
  readonly name: string;
}

/** What {@link verifyReplicas} found. */
export interface ReplicasVerdict {
  /** Of each log alone, in the order of the evidence. */
  readonly logs: readonly (AuditVerdict & { readonly name: string })[];
  /** Whose changes the others follow; null where that is not one of them. */
  readonly writer: string | null;
  /** Of all logs and of what they say of each other; paths begin with the name. */
  readonly findings: readonly Finding[];
}

type OpeningRecord = Extract<AuditRecord, { readonly kind: "decapsulated" }>;
type ChangeRecord = Extract<AuditRecord, { readonly kind: "generation" }>;

/** How much later than due a confirmation may be on record: it is written four times in `followSeconds`, and a disk may hang. */
const LATE_SECONDS = 30;

/** Reads one log for what it says of the others. */
class ReplicaLog {
  readonly name: string;
  readonly signer: string;
  readonly findings = new FindingList();
  /** Digests of states by the number of the record that led to them. */
  readonly states = new Map<number, string>();
  readonly followed: { readonly writer: Writer; readonly state: string; readonly path: string }[] = [];
  /** Where something was opened before any change was on record. */
  early: string | null = null;
  #own = 0;
  #state: KeyringState | null = null;
  #last: { readonly writer: Writer; readonly atMs: number } | null = null;

  constructor(name: string, publicKey: KeyObject) {
    this.name = name;
    this.signer = hash("sha256", publicKey.export({ format: "der", type: "spki" }));
  }

  /** Whether it changed generations of its own. */
  get writes(): boolean {
    return this.#own > 0;
  }

  read(record: AuditRecord, path: string): void {
    if (record.kind === "generation") this.#change(record, path);
    else if (record.kind === "decapsulated" && this.#last !== null) this.#opening(record, path);
    else if (record.kind === "decapsulated" && !this.writes) this.early ??= path;
  }

  add(code: AuditFindingCode, path: string, message: string): void {
    this.findings.add(auditFinding(code, `${this.name}/${path}`, message));
  }

  #change(record: ChangeRecord, path: string): void {
    this.states.set(record.seq, record.state);
    const statement = parseStatement(record.statement);
    if ("defect" in statement) {
      this.add("AUDIT_FORM", path, statement.defect);
      return;
    }
    const { writer, next } = statement;
    if (writer === undefined) {
      this.#own += 1;
      if (this.#last !== null) this.add("AUDIT_ROLE", path, "is a change of its own, of a custody that follows");
      return;
    }
    if (next !== null) this.#state = applyStatement(this.#state, next);
    if (record.change !== "followed") return;
    this.#last = { writer, atMs: Date.parse(record.at) };
    this.followed.push({ writer, state: record.state, path });
  }

  #opening({ keys, use, at }: OpeningRecord, path: string): void {
    for (const { keyId } of keys) {
      const generation = this.#generation(keyId);
      if (generation !== undefined && opensFor(generation, use)) continue;
      this.add(
        "AUDIT_FOLLOWED_OPENED",
        path,
        `opened with "${keyId}", which opens nothing ${use} by what was followed`,
      );
    }
    const { writer, atMs } = this.#last ?? {};
    if (writer === undefined || atMs === undefined) return;
    const most = writer.followSeconds * 1.25 + LATE_SECONDS;
    const seconds = Math.round((Date.parse(at) - atMs) / 1000);
    if (seconds > most)
      this.add(
        "AUDIT_FOLLOWED_STALE",
        path,
        `opened ${seconds} s after the writer was last on record; accepted: ${most}`,
      );
  }

  #generation(keyId: string): Generation | undefined {
    return this.#state?.generations.find((each) => each.keyId === keyId);
  }
}

/**
 * Verifies the logs of several custodies, each by its own store's key, and then what they say of each other: one writes; each
 * change that another one followed is in the writer's log; nobody opened by what it knew to be taken away, or for too long without
 * hearing of the writer. A log that is missing is a log that was taken away.
 * @throws what the file system throws
 */
export async function verifyReplicas(evidence: readonly ReplicaEvidence[]): Promise<ReplicasVerdict> {
  const read: { readonly log: ReplicaLog; readonly verdict: AuditVerdict }[] = [];
  for (const each of evidence) {
    const log = new ReplicaLog(each.name, each.publicKey);
    const onRecord = (record: AuditRecord, path: string): void => log.read(record, path);
    read.push({ log, verdict: await verifyAuditLog({ ...each, onRecord }) });
  }
  const logs = read.map(({ log }) => log);
  const writers = logs.filter(({ writes }) => writes);
  const [writer] = writers;
  const found = new FindingList();
  if (writers.length !== 1) {
    const names = writers.map(({ name }) => name).join(", ") || "none";
    found.add(auditFinding("AUDIT_ROLE", "replicas", `have ${writers.length} writers (${names}), and one must be`));
  }
  for (const log of logs) if (writer !== undefined && log !== writer) holdAgainst(log, writer);
  return {
    logs: read.map(({ log, verdict }) => ({ ...verdict, name: log.name })),
    writer: writers.length === 1 ? (writer?.name ?? null) : null,
    findings: [
      ...found.all,
      ...read.flatMap(({ log, verdict }) => [
        ...verdict.findings.map((each) => named(log.name, each)),
        ...log.findings.all,
      ]),
    ],
  };
}

function holdAgainst(log: ReplicaLog, { states, signer }: ReplicaLog): void {
  if (log.early !== null) log.add("AUDIT_FOLLOWED_OPENED", log.early, "opened before anything was followed");
  for (const { writer, state, path } of log.followed) {
    if (writer.signer !== signer)
      log.add("AUDIT_FOLLOWED_UNKNOWN", path, "follows the word of another custody's signer");
    else if (states.get(writer.record) !== state)
      log.add(
        "AUDIT_FOLLOWED_UNKNOWN",
        path,
        `follows record ${writer.record} of the writer, which led to no such state`,
      );
  }
}

function named(name: string, finding: Finding): Finding {
  return { ...finding, path: `${name}/${finding.path}`, message: `${name}: ${finding.message}` };
}
