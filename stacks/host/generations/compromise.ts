import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { COMPROMISE_STATEMENT } from "../../../custody/compromise-statement.ts";
import { dsseVerify } from "../../../protocol/dsse.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { ListedGeneration } from "../custody-management.ts";
import { generationErrors } from "./errors.ts";
import { readKeyJournal } from "./journal.ts";
import { findListed, type GenerationsPlace } from "./place.ts";

/** What is declared. */
export interface CompromiseOrder {
  readonly keyId: string;
  /** Whether what is stored and encrypted to it may still be opened; `block` cannot be taken back. */
  readonly stored: "allow" | "block";
  /** 1 to 200 characters on one line. */
  readonly reason: string;
}

/** What evidence of a compromise needs. */
export interface EvidencePlace {
  /** Custody's signed statement about a compromised generation: a DSSE envelope. */
  readonly statement: (keyId: string) => Promise<string>;
  readonly signer: KeyObject;
  /** Where evidence is kept. */
  readonly folder: string;
}

/** What declaring a compromise came to. */
export interface CompromiseOutcome {
  readonly keyId: string;
  /** The generation that sensors encrypt to from now on. */
  readonly active: string;
  /** Absolute path of the evidence. */
  readonly evidence: string;
}

const statementSchema = z.object({
  schema: z.literal("trustkern.compromise/1"),
  generation: z.object({ keyId: z.string(), compromised: z.object({ at: z.iso.datetime(), stored: z.string() }) }),
  active: z.string(),
});

/**
 * Declares that a private key is in other hands: it opens nothing live from now on, another generation is active at once, every
 * sensor gets its update, and custody's signed statement is kept. Done again after a death, it goes on.
 * @throws KEYS_EVIDENCE_INVALID, and what custody and the backend refuse with
 */
export async function compromiseGeneration(
  place: GenerationsPlace,
  evidence: EvidencePlace,
  order: CompromiseOrder,
): Promise<CompromiseOutcome> {
  const { keyId, stored, reason } = order;
  const before = findListed(await place.custody.list(), keyId);
  if (!isDeclared(before, stored)) await place.custody.compromise(keyId, stored, reason);
  if (readKeyJournal(place.journalFile)?.keyId === keyId && before?.state === "next")
    place.files.remove(place.journalFile);
  await place.publish();
  return { keyId, ...keepEvidence(place, evidence, keyId, await evidence.statement(keyId)) };
}

/** Whether an earlier run has declared it, and died before it was done. */
function isDeclared(generation: ListedGeneration | undefined, stored: CompromiseOrder["stored"]): boolean {
  return generation?.state !== "destroyed" && generation?.compromised?.stored === stored;
}

function keepEvidence(
  { files }: GenerationsPlace,
  { signer, folder }: EvidencePlace,
  keyId: string,
  dsse: string,
): Pick<CompromiseOutcome, "active" | "evidence"> {
  const { generation, active } = readStatement(dsse, signer, keyId);
  const { at, stored } = generation.compromised;
  const file = join(folder, `compromise-${keyId}-${at.replaceAll(/[:.]/g, "")}-${stored}.dsse.json`);
  files.write(file, `${dsse}\n`);
  return { active, evidence: file };
}

function readStatement(dsse: string, signer: KeyObject, keyId: string): z.output<typeof statementSchema> {
  try {
    const said = statementSchema.parse(JSON.parse(dsseVerify(dsse, COMPROMISE_STATEMENT, signer).toString("utf8")));
    if (said.generation.keyId !== keyId) throw new TypeError(`it is about generation "${said.generation.keyId}"`);
    return said;
  } catch (cause) {
    throw generationErrors.error("KEYS_EVIDENCE_INVALID", `the statement about "${keyId}": ${messageOf(cause)}`, {
      path: keyId,
      cause,
    });
  }
}
