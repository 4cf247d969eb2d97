import type { KeyObject } from "node:crypto";
import type { Finding } from "../../shared/finding.ts";
import { readHead } from "./head.ts";
import { verifyLedger } from "./verify.ts";

/** A ledger of a deployment, or why it cannot be read. */
export interface LedgerSource {
  /** What an auditor calls it. */
  readonly name: string;
  /** Of the key that signs its heads, P-256; undefined where that is not known. */
  readonly publicKey: KeyObject | undefined;
  /** The file and its head, of one moment. @default it cannot be read */
  readonly evidence?: { readonly text: string; readonly head: string } | undefined;
  /** Why it cannot be read. @default it can */
  readonly missing?: { readonly code: string; readonly message: string } | undefined;
}

/** A signed head that somebody kept from before, where the ledger's host could not write. */
export interface KeptHead {
  /** Where it is from, for findings. */
  readonly name: string;
  readonly text: string;
}

/** What became of one ledger. */
export interface LedgerVerdict {
  readonly name: string;
  readonly state: "whole" | "changed" | "not-verified";
  /** Records that it has, and its signed head; null where it could not be read. */
  readonly records: number | null;
  readonly head: string | null;
  /** Why it could not be read, or null. */
  readonly missing: { readonly code: string; readonly message: string } | null;
  readonly findings: readonly Finding[];
}

/** What {@link auditLedgers} found. */
export interface LedgerAudit {
  readonly ledgers: readonly LedgerVerdict[];
  /** All of them, those of kept heads that belong to no ledger included. */
  readonly findings: readonly Finding[];
}

/**
 * Verifies each ledger against its head and the heads that were kept of it: whose a kept head is, its signature says. A kept
 * head that can be held against nothing is a finding, since whoever kept it wants to know.
 */
export async function auditLedgers(sources: readonly LedgerSource[], kept: readonly KeptHead[]): Promise<LedgerAudit> {
  const owners = await Promise.all(kept.map(({ text }) => ownerOf(text, sources)));
  const ledgers = await Promise.all(
    sources.map((source) =>
      verdictOn(
        source,
        kept.filter((_, index) => owners[index] === source),
      ),
    ),
  );
  const strange = kept
    .filter((_, index) => owners[index] === undefined)
    .map(({ name }) => finding("LEDGER_HEAD", name, "is a head that no ledger's key of this deployment signed"));
  return { ledgers, findings: [...ledgers.flatMap(({ findings }) => findings), ...strange] };
}

async function ownerOf(head: string, sources: readonly LedgerSource[]): Promise<LedgerSource | undefined> {
  for (const source of sources)
    if (source.publicKey !== undefined && (await readHead(head, source.publicKey)) !== null) return source;
  return undefined;
}

async function verdictOn(
  { name, publicKey, evidence, missing }: LedgerSource,
  kept: readonly KeptHead[],
): Promise<LedgerVerdict> {
  if (evidence === undefined || publicKey === undefined) {
    const findings = kept.map((each) =>
      finding("LEDGER_AWAY", each.name, `is a head of the ledger of the ${name}, which cannot be read`),
    );
    return { name, state: "not-verified", records: null, head: null, missing: missing ?? null, findings };
  }
  const earlierHeads = kept.map(({ text }) => text);
  const found = await verifyLedger({ ...evidence, publicKey, earlierHeads });
  const findings = found.map((each) => named(each, name, kept));
  const state = findings.length === 0 ? "whole" : "changed";
  return { name, state, records: evidence.text.split("\n").length - 1, head: evidence.head, missing: null, findings };
}

/** A finding that says which ledger it is about, and where a kept head is from. */
function named(found: Finding, ledger: string, kept: readonly KeptHead[]): Finding {
  const index = /^earlierHeads\[(\d+)\]$/.exec(found.path)?.[1];
  const where = index === undefined ? found.path : (kept[Number(index)]?.name ?? found.path);
  return { ...found, path: where, message: `${ledger}: ${found.message.replace(found.path, where)}` };
}

function finding(code: string, path: string, message: string): Finding {
  const fix = "keep the files for whoever investigates, and compare them with a backup";
  return { code, path, message: `${path} ${message}`, fix };
}
