import { hash } from "node:crypto";
import { z } from "zod";
import { keyIdOf } from "../../protocol/hpke.ts";
import { stableJson } from "../../shared/stable-json.ts";
import type { StoredKey } from "../backends/key-store.ts";
import { custodyErrors } from "../errors.ts";
import { GENERATION_ORIGINS, GENERATION_STATES, type Generation, HPKE_SUITE, withChanges } from "../generation.ts";

/** What a keyring knows of its keys. Holds no secret. */
export interface KeyringState {
  /** 1 for the first; one more with each change. */
  readonly version: number;
  readonly tenant: string;
  /** Packages of ceremonies are sealed to it; it is no generation, and opens nothing else. */
  readonly importKey: StoredKey;
  /** Every generation ever made, oldest first, destroyed ones included. */
  readonly generations: readonly Generation[];
}

/** A change as the audit log states it: what it leads from, and what it leads to. */
export interface Statement {
  /** SHA-256 of the state before, lower-case hex; {@link NO_STATE} where there was none. */
  readonly base: string;
  /** The state after, with those generations alone that the change touches; null where it stays as it was. */
  readonly next: KeyringState | null;
  /** Whose changes this keyring follows. @default nobody's: they are its own */
  readonly writer?: Writer | undefined;
}

/** The custody whose changes another one follows, as it was known when something was recorded. */
export interface Writer {
  /** SHA-256 of its store signer's public key (SPKI), lower-case hex. */
  readonly signer: string;
  /** Number of its last record about a generation. */
  readonly record: number;
  /** Length of its audit log. */
  readonly records: number;
  /** For how long its follower opens without hearing of it. */
  readonly followSeconds: number;
}

/** {@link digestOf} no state. */
export const NO_STATE = "0".repeat(64);

const SCHEMA = "trustkern.generations/1";
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const time = z.iso.datetime();

const generationSchema = z.strictObject({
  keyId: hex(8),
  publicKey: hex(32),
  suite: z.literal(HPKE_SUITE),
  origin: z.enum(GENERATION_ORIGINS),
  state: z.enum(GENERATION_STATES),
  createdAt: time,
  notBefore: time,
  activatedAt: time.optional(),
  retiredAt: time.optional(),
  destroyedAt: time.optional(),
  compromised: z
    .strictObject({ at: time, reason: z.string().min(1).max(500), stored: z.enum(["allow", "block"]) })
    .optional(),
});

const stateMembers = {
  version: z.int().min(1),
  tenant: z.string().min(1),
  importKey: z.strictObject({ keyId: hex(8), publicKey: hex(32) }),
  generations: z.array(generationSchema),
};
const stateSchema = z.strictObject({ schema: z.literal(SCHEMA), ...stateMembers });
const writerSchema = z.strictObject({
  signer: hex(32),
  record: z.int().positive(),
  records: z.int().positive(),
  followSeconds: z.number().positive(),
});
const statementSchema = z.strictObject({
  base: hex(32),
  next: z.strictObject(stateMembers).nullable(),
  writer: writerSchema.optional(),
});

/** SHA-256 of a state's text, lower-case hex. */
export function digestOf(text: string | null): string {
  return text === null ? NO_STATE : hash("sha256", text);
}

/**
 * The text of a state. Only what {@link parseState} takes is ever written or recorded.
 * @throws CUSTODY_CHANGE_INVALID
 */
export function renderState(state: KeyringState): string {
  const text = `${stableJson({ schema: SCHEMA, ...state }, 2)}\n`;
  const parsed = parseState(text);
  if ("defect" in parsed)
    throw custodyErrors.error("CUSTODY_CHANGE_INVALID", `the change is refused: ${parsed.defect}`);
  return text;
}

/** The state of a text, or its defect in words. */
export function parseState(text: string): KeyringState | { readonly defect: string } {
  const parsed = stateSchema.safeParse(parseJson(text));
  if (!parsed.success) return { defect: mistakesIn(parsed.error) };
  const { schema: _, ...state } = parsed.data;
  const defect = defectOf(state);
  return defect === null ? state : { defect };
}

/** The statement of a record, or its defect in words. */
export function parseStatement(value: unknown): Statement | { readonly defect: string } {
  const parsed = statementSchema.safeParse(value);
  return parsed.success ? parsed.data : { defect: mistakesIn(parsed.error) };
}

/** The state that a statement leads to. */
export function applyStatement(before: KeyringState | null, next: KeyringState): KeyringState {
  return { ...next, generations: withChanges(before?.generations ?? [], next.generations) };
}

function defectOf({ importKey, generations }: KeyringState): string | null {
  const keys = [importKey, ...generations];
  const foreign = keys.find(({ keyId, publicKey }) => keyIdOf(Buffer.from(publicKey, "hex")).toString("hex") !== keyId);
  if (foreign) return `"${foreign.keyId}" is not the key id of its public key`;
  if (new Set(keys.map(({ keyId }) => keyId)).size < keys.length) return "a key id is there twice";
  const active = generations.filter(({ state }) => state === "active");
  if (active.length !== 1) return `${active.length} generations are active, and one must be`;
  return null;
}

function mistakesIn(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `"${path.join(".")}": ${message}`).join("; ");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
