import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { COMPROMISE_STATEMENT } from "../../../custody/compromise-statement.ts";
import { custodyErrors } from "../../../custody/errors.ts";
import { dsseVerify } from "../../../protocol/dsse.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { ListedGeneration } from "../custody-management.ts";
import { generationErrors } from "./errors.ts";
import { readKeyJournal } from "./journal.ts";
import { type GenerationsPlace, requireListed } from "./place.ts";

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
  /** Whether it had been declared before, so that this run changed nothing at custody. */
  readonly repeated: boolean;
  /**
   * Key id of the generation that was being rotated to, where this ended that rotation: it stays `next`, and the next rotation begins
   * with it unless it is the compromised one. Null where no rotation was ended.
   */
  readonly endedRotationTo: string | null;
}

const statementSchema = z.object({
  schema: z.literal("trustkern.compromise/1"),
  generation: z.object({ keyId: z.string(), compromised: z.object({ at: z.iso.datetime(), stored: z.string() }) }),
  active: z.string(),
});

/**
 * Declares that a private key is in other hands: it opens nothing live from now on, another generation is active at once, every
 * sensor gets its update, and custody's signed statement is kept. A rotation to it or away from it ends. Done again after a death, it
 * goes on.
 * @throws KEYS_EVIDENCE_INVALID, CUSTODY_GENERATION_STATE, CUSTODY_GENERATION_UNKNOWN, and what custody and the backend refuse with
 */
export async function compromiseGeneration(
  place: GenerationsPlace,
  evidence: EvidencePlace,
  order: CompromiseOrder,
): Promise<CompromiseOutcome> {
  const { keyId, stored, reason } = order;
  const before = await assertCompromisable(place, order);
  const repeated = isDeclared(before, stored);
  // Before it is declared: a run that dies in between finds no rotation that waits for what nobody publishes any more.
  const endedRotationTo = repeated ? null : endRotation(place, before);
  if (!repeated) await place.custody.compromise(keyId, stored, reason);
  await place.publish();
  const kept = keepEvidence(place, evidence, keyId, await evidence.statement(keyId));
  return { keyId, ...kept, repeated, endedRotationTo };
}

/**
 * The generation of an order that can be carried out, or was before. It changes nothing.
 * @throws CUSTODY_GENERATION_STATE, CUSTODY_GENERATION_UNKNOWN, and what asking custody throws
 */
export async function assertCompromisable(
  { custody }: Pick<GenerationsPlace, "custody">,
  { keyId, stored }: Pick<CompromiseOrder, "keyId" | "stored">,
): Promise<ListedGeneration> {
  const generation = requireListed(await custody.list(), keyId);
  if (generation.state === "destroyed")
    throw custodyErrors.error("CUSTODY_GENERATION_STATE", `generation "${keyId}" is destroyed, and opens nothing`, {
      fix: "nothing has to be done: its private key is gone from custody; take another one of `trustkern keys list` if you meant another",
    });
  if (generation.compromised?.stored !== "block" || stored === "block") return generation;
  const message = `generation "${keyId}" is blocked for what is stored too, which cannot be taken back to "allow"`;
  throw custodyErrors.error("CUSTODY_GENERATION_STATE", message, {
    fix: "leave it: it opens nothing, and `--stored block` can be given again to write its evidence again",
  });
}

/** Whether an earlier run has declared it. */
function isDeclared({ compromised }: ListedGeneration, stored: CompromiseOrder["stored"]): boolean {
  return compromised?.stored === stored;
}

/** Ends a rotation to it, or one away from it: another generation takes its place at once. Gives what was being rotated to. */
function endRotation({ journalFile, files }: GenerationsPlace, { keyId, state }: ListedGeneration): string | null {
  const journal = readKeyJournal(journalFile);
  if (journal === undefined || (journal.keyId !== keyId && state !== "active")) return null;
  files.remove(journalFile);
  return journal.keyId;
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
