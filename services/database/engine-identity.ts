import { databaseErrors } from "./errors.ts";

/** What is used of the engine's WebAssembly module: functions and memory of a Postgres backend. */
export interface BackendModule {
  readonly HEAPU8: Uint8Array;
  readonly _malloc: (bytes: number) => number;
  readonly _StartTransactionCommand: () => void;
  readonly _CommitTransactionCommand: () => void;
  readonly _SetConfigOption: (name: number, value: number, context: number, source: number) => void;
}

/** Sets defaults of the engine's session that `RESET` goes back to, and binds the session to a role. */
export interface Identity {
  /** Sets a configuration parameter as if it had been one of the server's own. */
  readonly setDefault: (name: string, value: string) => void;
  /**
   * Makes the session that of `role`, as if it had been authenticated: neither RESET nor SET SESSION AUTHORIZATION leads
   * back. Outside a transaction only.
   */
  readonly become: (role: string) => void;
}

/** GucContext and GucSource of src/include/utils/guc.h. */
const PGC_BACKEND = 4;
const PGC_SUSET = 5;
const PGC_S_OVERRIDE = 10;

const SUPERUSER = "postgres";
const SUPERUSER_OID = 10;
/** The variables of miscinit.c lie among the first 64 MiB, which are the module's static data. */
const SEARCHED_WORDS = 16 * 1024 * 1024;
const NEAR_WORDS = 8;

/**
 * Postgres has one session here for all clients, and its authenticated user is the superuser, who may take any identity
 * back. `AuthenticatedUserId` (miscinit.c) has no setter that SQL or the module exports, so it is found in the module's memory by
 * what it does not do when the session user changes, and set directly.
 * @param oids the object ids of all roles
 * @param probes two roles or more, to find the variable with
 * @throws DATABASE_ROLES_UNSAFE
 */
export function createIdentity(
  module: BackendModule,
  oids: ReadonlyMap<string, number>,
  probes: readonly (readonly [string, number])[],
): Identity {
  const texts = new Map<string, number>();
  const text = (value: string): number => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const bytes = Buffer.from(`${value}\0`);
    const pointer = module._malloc(bytes.length);
    module.HEAPU8.set(bytes, pointer);
    texts.set(value, pointer);
    return pointer;
  };
  const set = (name: string, value: string, context: number): void => {
    module._StartTransactionCommand();
    module._SetConfigOption(text(name), text(value), context, PGC_S_OVERRIDE);
    module._CommitTransactionCommand();
  };
  const setSessionUser = (role: string): void => set("session_authorization", role, PGC_BACKEND);

  const address = findAuthenticatedUser(module, setSessionUser, probes);
  return {
    setDefault: (name, value) => set(name, value, PGC_SUSET),
    become: (role) => {
      const words = wordsOf(module);
      words[address] = SUPERUSER_OID;
      setSessionUser(role);
      words[address] = role === SUPERUSER ? SUPERUSER_OID : (oids.get(role) ?? 0);
    },
  };
}

function findAuthenticatedUser(
  module: BackendModule,
  setSessionUser: (role: string) => void,
  probes: readonly (readonly [string, number])[],
): number {
  let candidates: number[] | undefined;
  for (const [role, oid] of probes) {
    setSessionUser(role);
    const words = wordsOf(module).subarray(0, SEARCHED_WORDS);
    const found = unchangedNear(words, sessionUsers(words, oid));
    candidates = candidates?.filter((address) => found.includes(address)) ?? found;
  }
  setSessionUser(SUPERUSER);
  const [address, ...others] = candidates ?? [];
  if (probes.length > 1 && address !== undefined && others.length === 0) return address;
  throw databaseErrors.error("DATABASE_ROLES_UNSAFE", "the engine's authenticated user was not found in its memory");
}

/** Where SessionUserId, OuterUserId and CurrentUserId, which follow one another, hold this role. */
function sessionUsers(words: Int32Array, oid: number): number[] {
  const found: number[] = [];
  for (let at = words.indexOf(oid); at >= 0; at = words.indexOf(oid, at + 1))
    if (words[at + 1] === oid && words[at + 2] === oid) found.push(at);
  return found;
}

function unchangedNear(words: Int32Array, addresses: readonly number[]): number[] {
  const near = addresses.flatMap((at) => Array.from({ length: 2 * NEAR_WORDS }, (_, step) => at - NEAR_WORDS + step));
  return near.filter((at) => words[at] === SUPERUSER_OID);
}

function wordsOf(module: BackendModule): Int32Array {
  return new Int32Array(module.HEAPU8.buffer);
}
