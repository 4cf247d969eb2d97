import { custodyErrors } from "./errors.ts";

/** Life of a generation: made ahead, handed to sensors, opens old messages only, gone. */
export const GENERATION_STATES = ["next", "active", "retired", "destroyed"] as const;

/** One of {@link GENERATION_STATES}. */
export type GenerationState = (typeof GENERATION_STATES)[number];

/** One HPKE key pair of a tenant, without its private key. */
export interface Generation {
  /** First 8 bytes of SHA-256 of the raw public key, lower-case hex. */
  readonly keyId: string;
  /** Raw X25519 public key (32 bytes), lower-case hex. */
  readonly publicKey: string;
  readonly state: GenerationState;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  /** Sensors encrypt to it from then on. RFC 3339, UTC. */
  readonly notBefore: string;
}

/** What the caller decides about a new generation. */
export type NewGeneration = Pick<Generation, "state" | "createdAt" | "notBefore">;

/** One step of a transition; a back end applies all steps of one transition or none. */
export type StateChange = Pick<Generation, "keyId" | "state">;

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
  generations: readonly Generation[],
  keyId: string,
  to: Exclude<GenerationState, "next" | "retired">,
): readonly StateChange[] {
  const generation = generations.find((candidate) => candidate.keyId === keyId);
  if (!generation) {
    const known = generations.map((candidate) => candidate.keyId).join(", ");
    throw custodyErrors.error("CUSTODY_GENERATION_UNKNOWN", `no generation "${keyId}"; there are: ${known || "none"}`);
  }
  if (!ALLOWED[generation.state].includes(to)) {
    const accepted = ALLOWED[generation.state].join(", ") || "no other state";
    throw custodyErrors.error(
      "CUSTODY_GENERATION_STATE",
      `generation "${keyId}" is ${generation.state} and cannot become ${to}; accepted: ${accepted}`,
    );
  }
  const before = to === "active" ? generations.filter(({ state }) => state === "active") : [];
  return [...before.map((active): StateChange => ({ keyId: active.keyId, state: "retired" })), { keyId, state: to }];
}
