import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../../shared/atomic-file.ts";

const credentialSchema = z.strictObject({ cert: z.string(), key: z.string(), token: z.string().nullable() });

const stateSchema = z.strictObject({
  schema: z.literal("trustkern.gateway-identity/1"),
  /** Key and request of a renewal that is on its way. */
  pending: z.strictObject({ key: z.string(), csr: z.string() }).nullable(),
  /** What came back, and has not been shown to work yet. */
  candidate: credentialSchema.nullable(),
  current: credentialSchema.nullable(),
  /** What was current before, for as long as it holds. */
  previous: credentialSchema.nullable(),
});

/** Everything of a gateway's own renewal that outlives its process. */
export type IdentityState = Readonly<Omit<z.infer<typeof stateSchema>, "schema">>;

const EMPTY: IdentityState = { pending: null, candidate: null, current: null, previous: null };

/** The state on disk: one file, so that certificate, key and token change in one step. */
export interface IdentityFile {
  readonly state: () => IdentityState;
  /** Writes, and only then changes what {@link state} gives. Throws when the disk refuses. */
  readonly save: (changes: Partial<IdentityState>) => void;
}

/** Reads the state of the last run. A file that is damaged is told and not used: the configured files are still there. */
export function openIdentityFile(stateDir: string, onError: (error: unknown) => void): IdentityFile {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const file = join(stateDir, "identity.json");
  let state = read(file, onError);
  return {
    state: () => state,
    save: (changes) => {
      const next = { ...state, ...changes };
      writeFileAtomic(file, JSON.stringify({ schema: "trustkern.gateway-identity/1", ...next }));
      state = next;
    },
  };
}

function read(file: string, onError: (error: unknown) => void): IdentityState {
  try {
    const { schema: _, ...state } = stateSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    return state;
  } catch (thrown) {
    // What zod and JSON say of a file of secrets is not for a log.
    const missing = (thrown as NodeJS.ErrnoException).code;
    if (missing !== "ENOENT") onError(new Error(`identity.json is not used: ${missing ?? "it is damaged"}`));
    return EMPTY;
  }
}
