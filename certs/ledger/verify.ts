import type { KeyObject } from "node:crypto";
import { messageOf } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";
import { readHead } from "./head.ts";
import { hashOf, NO_RECORD, parseRecord } from "./record.ts";

/** What an auditor has. */
export interface LedgerEvidence {
  /** The file. */
  readonly text: string;
  /** The signed head of the same moment. */
  readonly head: string;
  /** Of the key that signs heads, P-256. */
  readonly publicKey: KeyObject;
  /** Signed heads that somebody kept from before: without one, who has the key's old head can hide what came after it. @default none */
  readonly earlierHeads?: readonly string[] | undefined;
}

/** Finds what was changed, deleted, cut off, put in another order or added in a ledger. */
export async function verifyLedger(evidence: LedgerEvidence): Promise<readonly Finding[]> {
  const { text, head, publicKey, earlierHeads = [] } = evidence;
  const lines = text.split("\n");
  const tail = lines.pop() ?? "";
  const hashes = [NO_RECORD, ...lines.map(hashOf)];
  const heads = [
    ...earlierHeads.map((each, index) => [`earlierHeads[${index}]`, each] as const),
    ["head", head] as const,
  ];
  const found = await Promise.all(heads.map(([path, each]) => checkHead(path, each, publicKey, hashes)));
  return [
    ...lines.flatMap((line, index) => checkLine(line, index + 1, hashes[index] ?? NO_RECORD)),
    ...(tail === "" ? [] : [finding("LEDGER_FORM", `line ${lines.length + 1}`, "is not ended by a line feed")]),
    ...found.flat(),
  ];
}

async function checkHead(
  path: string,
  text: string,
  publicKey: KeyObject,
  hashes: readonly string[],
): Promise<readonly Finding[]> {
  const head = await readHead(text, publicKey);
  const last = hashes.length - 1;
  if (head === null) return [finding("LEDGER_HEAD", path, "is not a head that this key signed")];
  if (head.seq > last) {
    return [finding("LEDGER_CUT", path, `says ${head.seq} records, and there are ${last}`)];
  }
  if (path === "head" && head.seq < last) {
    return [finding("LEDGER_BEYOND", path, `says ${head.seq} records, and there are ${last}`)];
  }
  if (head.hash === hashes[head.seq]) return [];
  return [finding("LEDGER_HEAD", path, `does not fit record ${head.seq}: the records up to it are others`)];
}

function checkLine(line: string, seq: number, prev: string): readonly Finding[] {
  const path = `line ${seq}`;
  try {
    const record = parseRecord(line);
    return [
      ...(record.seq === seq ? [] : [finding("LEDGER_SEQUENCE", path, `is record ${record.seq}, and must be ${seq}`)]),
      ...(record.prev === prev ? [] : [finding("LEDGER_CHAIN", path, "does not follow the line before it")]),
    ];
  } catch (thrown) {
    return [finding("LEDGER_FORM", path, messageOf(thrown))];
  }
}

function finding(code: string, path: string, message: string): Finding {
  const fix = "keep the files for whoever investigates, and compare them with a backup";
  return { code, path, message: `${path} ${message}`, fix };
}
