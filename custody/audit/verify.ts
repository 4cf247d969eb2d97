import type { KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeptHead } from "../../certs/ledger/audit.ts";
import type { Finding } from "../../shared/finding.ts";
import { checkHead } from "./check-head.ts";
import { auditFinding, FindingList } from "./findings.ts";
import { readHead, type SignedAuditHead } from "./head.ts";
import { HEAD_FILE, readSlots, type Slot } from "./head-file.ts";
import type { AuditRecord } from "./record.ts";
import { listSegments } from "./segments.ts";
import { LogWalk } from "./walk.ts";

/** What an auditor has. */
export interface AuditEvidence {
  /** The log's folder, or a copy of it. A log that custody is writing to meanwhile may be verified. */
  readonly folder: string;
  /** Of the store's signer, P-256. */
  readonly publicKey: KeyObject;
  /** Heads that somebody kept elsewhere: without one, who has an older copy of the folder can put it back. @default none */
  readonly keptHeads?: readonly KeptHead[] | undefined;
  /** How long a record may be without a head that counts it while custody is writing, in milliseconds. @default 2000 */
  readonly patienceMs?: number | undefined;
  /** Is shown each record in order, with its place as `segment:line`. @default nobody is */
  readonly onRecord?: ((record: AuditRecord, path: string) => void) | undefined;
}

/** What {@link verifyAuditLog} found. */
export interface AuditVerdict {
  /** Records that the newest head counts. */
  readonly records: number;
  /** Number of the last record that is there, counted by a head or not; 0 where there is none. */
  readonly present: number;
  /** The newest head, worth keeping elsewhere; null where there is none. */
  readonly head: string | null;
  /** What does not fit, at `segment:line`. At most 1000 of them. */
  readonly findings: readonly Finding[];
}

/** A slot's head and its text. */
interface Newest {
  readonly text: string;
  readonly head: SignedAuditHead;
}

/**
 * Finds what was changed, deleted, cut off, put in another order or added in a log, by the store's public key alone. Reads
 * the log a chunk at a time.
 * @throws what the file system throws
 */
export async function verifyAuditLog(evidence: AuditEvidence): Promise<AuditVerdict> {
  const { folder, publicKey, keptHeads = [], patienceMs = 2_000, onRecord } = evidence;
  const findings = new FindingList();
  // The head first: its records are on the disk before it is, so whatever it counts is there.
  const newest = await newestHead(folder, publicKey, findings);
  const kept = await Promise.all(
    keptHeads.map(async ({ name, text }) => ({ name, head: await readHead(text.trimEnd(), publicKey) })),
  );
  const heads = [...kept, ...(newest === null ? [] : [{ name: HEAD_FILE, head: newest.head }])];
  const walk = new LogWalk({ publicKey, findings, wanted: heads.flatMap(({ head }) => head?.seq ?? []), onRecord });
  if (!existsSync(folder))
    findings.add(auditFinding("AUDIT_CUT", folder, "is not there: the whole log was taken away"));
  for (const segment of await listSegments(folder)) await walk.read(folder, segment);
  for (const { name, head } of heads) findings.add(...checkHead(name, head, walk));
  const counted = newest?.head.seq ?? 0;
  if (walk.last > counted || walk.torn !== null) {
    const until = { counted, deadline: performance.now() + patienceMs };
    if (!(await laterHead(folder, publicKey, walk, until))) findings.add(...beyond(walk, counted));
  }
  return { records: counted, present: walk.last, head: newest?.text ?? null, findings: findings.all };
}

async function newestHead(folder: string, publicKey: KeyObject, findings: FindingList): Promise<Newest | null> {
  const slots = await steadySlots(join(folder, HEAD_FILE));
  const heads = await Promise.all(slots.map((slot) => headIn(slot, publicKey)));
  slots.forEach((slot, index) => {
    if (slot.state === "blank" || heads[index] != null) return;
    findings.add(auditFinding("AUDIT_HEAD", `${HEAD_FILE}:${index + 1}`, "is not a head that this store vouches for"));
  });
  const [newest] = heads.filter((head) => head !== null).sort((a, b) => b.head.seq - a.head.seq);
  if (newest === undefined && slots.every(({ state }) => state === "blank")) {
    findings.add(auditFinding("AUDIT_HEAD", HEAD_FILE, "is missing or holds no head"));
  }
  return newest ?? null;
}

async function headIn(slot: Slot, publicKey: KeyObject): Promise<Newest | null> {
  if (slot.state !== "filled") return null;
  const head = await readHead(slot.text, publicKey);
  return head === null ? null : { text: slot.text, head };
}

/** A slot may be seen half written, for less than a moment. */
async function steadySlots(file: string): Promise<readonly [Slot, Slot]> {
  for (let tries = 1; ; tries++) {
    const slots = await readSlots(file);
    if (tries === 5 || slots.every(({ state }) => state !== "damaged")) return slots;
    await sleep(2);
  }
}

/** Whether custody goes on writing, and has counted by now what was beyond the head. */
async function laterHead(
  folder: string,
  publicKey: KeyObject,
  { last, lastHash, torn }: LogWalk,
  { counted, deadline }: { readonly counted: number; readonly deadline: number },
): Promise<boolean> {
  for (;;) {
    const { head } = (await newestHead(folder, publicKey, new FindingList())) ?? {};
    const seen = torn === null ? last : last + 1;
    if (head !== undefined && head.seq > counted && head.seq >= seen) {
      return head.seq > last || head.hash === lastHash;
    }
    if (performance.now() >= deadline) return false;
    await sleep(50);
  }
}

function beyond({ last, torn }: LogWalk, counted: number): readonly Finding[] {
  if (torn !== null) return [auditFinding("AUDIT_TORN", torn, "is not ended by a line feed")];
  return [
    auditFinding(
      "AUDIT_BEYOND",
      HEAD_FILE,
      `counts ${counted} records, and there are ${last}; nobody was told of the rest`,
    ),
  ];
}
