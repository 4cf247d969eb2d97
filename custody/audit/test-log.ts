import { createPublicKey } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemorySigner } from "../../certs/signers/index.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { type AuditLog, type AuditLogOptions, openAuditLog } from "./log.ts";
import type { AuditEntry } from "./record.ts";
import { type AuditEvidence, verifyAuditLog } from "./verify.ts";

/** Segments of some records each, so that a short log has several. */
const SMALL_SEGMENT_BYTES = 1_500;

/** A log in a folder of its own, of a store that a test has made. */
export interface TestLog {
  readonly folder: string;
  readonly signer: KeySigner;
  /** Waits for a slow disk for longer than custody does. */
  readonly open: (options?: Partial<AuditLogOptions>) => Promise<AuditLog>;
  /** Opens, adds that many records one after the other, and closes; gives the head. */
  readonly fill: (records: number) => Promise<string>;
  /** Codes of what {@link verifyAuditLog} finds, each once. */
  readonly codes: (evidence?: Partial<AuditEvidence>) => Promise<readonly string[]>;
  /** Names of its segments, in order. */
  readonly segments: () => readonly string[];
  /** Each segment's text. */
  readonly text: () => string;
  readonly remove: () => void;
}

/** A log of a new store, or of one that is there. */
export async function testLog(store?: KeySigner): Promise<TestLog> {
  const folder = mkdtempSync(join(tmpdir(), "tk-audit-"));
  const signer = store ?? (await createMemorySigner("P-256", "memory")).signer;
  const publicKey = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
  const clock = () => new Date("2026-11-21T08:00:00Z");
  const open: TestLog["open"] = (options) =>
    openAuditLog({ folder, signer, clock, segmentBytes: SMALL_SEGMENT_BYTES, limitMs: 30_000, ...options });
  const segments = (): readonly string[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".ndjson"))
      .sort();
  return {
    folder,
    signer,
    open,
    segments,
    fill: async (records) => {
      const log = await open();
      for (let index = 0; index < records; index++) await log.append(opened(index));
      const head = log.head();
      await log.close();
      return head;
    },
    codes: async (evidence) => {
      const { findings } = await verifyAuditLog({ folder, publicKey, patienceMs: 0, ...evidence });
      return [...new Set(findings.map(({ code }) => code))];
    },
    text: () =>
      segments()
        .map((name) => readFileSync(join(folder, name), "utf8"))
        .join(""),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A batch of one item that was opened; `n` tells one from the other. */
export function opened(n: number): AuditEntry {
  const root = n.toString(16).padStart(64, "0");
  const keys = [{ keyId: "0011223344556677", opened: 1, failed: 0 }];
  const detail = { client: "svc-collector", use: "live", keys, unknown: 0, items: 1, root } as const;
  return { kind: "decapsulated", actor: "svc-collector", detail };
}

/** A change of the keyring that a key was generated. */
export function generated(keyId: string): AuditEntry {
  const detail = { change: "generated", keyIds: [keyId], state: "0a".repeat(32), statement: { keyId } } as const;
  return { kind: "generation", actor: "op-admin", detail };
}
