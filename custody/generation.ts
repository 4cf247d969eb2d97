import { custodyErrors } from "./errors.ts";
import type { KemUse } from "./kem-items.ts";

/** Life of a generation: made ahead, handed to sensors, opens old messages only, gone. */
export const GENERATION_STATES = ["next", "active", "retired", "destroyed"] as const;

/** Id of a generation: first 8 bytes of SHA-256 of the raw public key, lower-case hex. */
export const KEY_ID = /^[0-9a-f]{16}$/;

/** One of {@link GENERATION_STATES}. */
export type GenerationState = (typeof GENERATION_STATES)[number];

/** Where a private key was made: in the back end, in an offline ceremony, or in a published test fixture. */
export const GENERATION_ORIGINS = ["generated", "ceremony", "fixture"] as const;

/** The one suite of envelope version 1 (RFC 9180: KEM 0x0020, KDF 0x0001, AEAD 0x0001). */
export const HPKE_SUITE = "X25519-HKDF-SHA256/AES-128-GCM";

/** The word that a private key is in other hands. */
export interface Compromise {
  /** RFC 3339, UTC. */
  readonly at: string;
  /** In the words of who declared it. 1 to 500 characters. */
  readonly reason: string;
  /** Whether what was stored before may still be opened; nothing live is. */
  readonly stored: "allow" | "block";
}

/** One HPKE key pair of a tenant, without its private key. */
export interface Generation {
  /** See {@link KEY_ID}. */
  readonly keyId: string;
  /** Raw X25519 public key (32 bytes), lower-case hex. */
  readonly publicKey: string;
  readonly suite: typeof HPKE_SUITE;
  readonly origin: (typeof GENERATION_ORIGINS)[number];
  readonly state: GenerationState;
  /** RFC 3339, UTC; so are all times here. */
  readonly createdAt: string;
  /** Sensors encrypt to it from then on. */
  readonly notBefore: string;
  /** @default it was never active */
  readonly activatedAt?: string | undefined;
  /** @default it was never retired, or came as retired */
  readonly retiredAt?: string | undefined;
  /** @default its key is there */
  readonly destroyedAt?: string | undefined;
  /** @default nobody says so */
  readonly compromised?: Compromise | undefined;
}

type InState = Pick<Generation, "keyId" | "state">;

/** One step of a transition; all steps of one transition are done, or none. */
interface Step {
  readonly keyId: string;
  readonly state: Exclude<GenerationState, "next">;
}

const ALLOWED: Readonly<Record<GenerationState, readonly GenerationState[]>> = {
  next: ["active", "destroyed"],
  active: ["retired"],
  retired: ["destroyed"],
  destroyed: [],
};

/**
 * The steps that bring one generation into a state. Activating one retires the active one in the same write, so that
 * there is never more than one; only that retires it, so that there is never none.
 * @throws CUSTODY_GENERATION_UNKNOWN
 * @throws CUSTODY_GENERATION_STATE
 */
export function planTransition(
  generations: readonly InState[],
  keyId: string,
  to: Exclude<GenerationState, "next" | "retired">,
): readonly Step[] {
  const { state } = findGeneration(generations, keyId);
  if (!ALLOWED[state].includes(to)) {
    const accepted = ALLOWED[state].join(", ") || "no other state";
    throw refused(`generation "${keyId}" is ${state} and cannot become ${to}; accepted: ${accepted}`);
  }
  const before = to === "active" ? generations.filter((candidate) => candidate.state === "active") : [];
  return [...before.map((active): Step => ({ keyId: active.keyId, state: "retired" })), { keyId, state: to }];
}

/**
 * The generation of a key id.
 * @throws CUSTODY_GENERATION_UNKNOWN
 */
export function findGeneration<G extends InState>(generations: readonly G[], keyId: string): G {
  const generation = generations.find((candidate) => candidate.keyId === keyId);
  if (generation) return generation;
  const known = generations.map((candidate) => candidate.keyId).join(", ");
  throw custodyErrors.error("CUSTODY_GENERATION_UNKNOWN", `no generation "${keyId}"; there are: ${known || "none"}`);
}

/** Generations with those of a change in their new form; new ones come last. */
export function withChanges(generations: readonly Generation[], changed: readonly Generation[]): readonly Generation[] {
  const byKeyId = new Map(changed.map((generation) => [generation.keyId, generation]));
  const kept = generations.map((generation) => byKeyId.get(generation.keyId) ?? generation);
  const known = new Set(generations.map(({ keyId }) => keyId));
  return [...kept, ...changed.filter(({ keyId }) => !known.has(keyId))];
}

/** Whether a generation opens messages for a use: `next`, `active` and `retired` ones do, compromised ones as declared. */
export function opensFor({ state, compromised }: Generation, use: KemUse): boolean {
  if (state === "destroyed") return false;
  return compromised === undefined || (use === "stored" && compromised.stored === "allow");
}

/** What an addition changes: a new `active` generation retires the active one. */
export function planAddition(generations: readonly Generation[], added: Generation): readonly Generation[] {
  const before = added.state === "active" ? generations.filter(({ state }) => state === "active") : [];
  return [...before.map((active) => inState(active, "retired", added.createdAt)), added];
}

/**
 * What activating a `next` generation changes.
 * @throws CUSTODY_GENERATION_UNKNOWN
 * @throws CUSTODY_GENERATION_STATE when it is not `next`, or compromised
 */
export function planActivation(generations: readonly Generation[], keyId: string, at: string): readonly Generation[] {
  const steps = planTransition(generations, keyId, "active");
  if (findGeneration(generations, keyId).compromised)
    throw refused(`generation "${keyId}" is compromised and cannot become active; accepted: destroyed`);
  return steps.map((step) => inState(findGeneration(generations, step.keyId), step.state, at));
}

/**
 * What destroying a `next` or `retired` generation changes.
 * @throws CUSTODY_GENERATION_UNKNOWN
 * @throws CUSTODY_GENERATION_STATE
 */
export function planDestruction(generations: readonly Generation[], keyId: string, at: string): readonly Generation[] {
  planTransition(generations, keyId, "destroyed");
  return [inState(findGeneration(generations, keyId), "destroyed", at)];
}

/**
 * The generation that a compromise is about, when it may be declared: once, and again only to block what it allowed.
 * @throws CUSTODY_GENERATION_UNKNOWN
 * @throws CUSTODY_GENERATION_STATE
 */
export function findCompromised(
  generations: readonly Generation[],
  keyId: string,
  { stored }: Pick<Compromise, "stored">,
): Generation {
  const generation = findGeneration(generations, keyId);
  if (generation.state === "destroyed")
    throw refused(`generation "${keyId}" is destroyed; accepted: one that has a key`);
  const before = generation.compromised?.stored;
  if (before === undefined || (before === "allow" && stored === "block")) return generation;
  throw refused(
    `generation "${keyId}" is compromised already, with stored data: ${before}; accepted: block after allow`,
  );
}

/**
 * What declaring a compromise changes. The time of the first declaration stays.
 * @param replacement the `active` generation that takes an active one's place; nothing becomes of it when that one is not active
 * @throws CUSTODY_GENERATION_UNKNOWN
 * @throws CUSTODY_GENERATION_STATE
 */
export function planCompromise(
  generations: readonly Generation[],
  keyId: string,
  declared: Compromise,
  replacement: Generation,
): readonly Generation[] {
  const generation = findCompromised(generations, keyId, declared);
  const compromised = { ...declared, at: generation.compromised?.at ?? declared.at };
  if (generation.state !== "active") return [{ ...generation, compromised }];
  return [{ ...inState(generation, "retired", declared.at), compromised }, replacement];
}

const STAMPS = { active: "activatedAt", retired: "retiredAt", destroyed: "destroyedAt" } as const;

function inState(generation: Generation, state: Step["state"], at: string): Generation {
  return { ...generation, state, [STAMPS[state]]: at };
}

function refused(message: string): Error {
  return custodyErrors.error("CUSTODY_GENERATION_STATE", message);
}
