import type { Generation } from "../generation.ts";
import type { KeyringState, Writer } from "../keyring/state.ts";
import type { WriterStatement } from "./statement.ts";

/** In which order a generation's states come. */
const AGE = { next: 0, active: 1, retired: 2, destroyed: 3 } as const;

/** What never changes of a generation. */
const FIXED = ["publicKey", "suite", "origin", "createdAt", "notBefore"] as const;

/** When something happened to a generation: it happens once. */
const STAMPS = ["activatedAt", "retiredAt", "destroyedAt"] as const;

/** What makes a statement older than what is known already, in words; null where nothing does. */
export function behind(
  { version, record, records }: Pick<WriterStatement, "version" | "record" | "records">,
  known: { readonly version: number; readonly writer: Pick<Writer, "record" | "records"> | null },
): string | null {
  if (version < known.version) return `its state has version ${version}, and version ${known.version} is known`;
  const { writer } = known;
  if (writer === null) return null;
  if (records < writer.records) return `its log has ${records} records, and ${writer.records} are known`;
  if (record < writer.record) return `its last change is record ${record}, and record ${writer.record} is known`;
  return null;
}

/** Why a state cannot have come out of another one, in words; null where it can. */
export function notFrom(before: KeyringState | null, after: KeyringState): string | null {
  if (before === null) return null;
  const { keyId } = before.importKey;
  if (after.importKey.keyId !== keyId) return `its import key is "${after.importKey.keyId}", and was "${keyId}"`;
  const known = before.generations.map((old, index) => problemOf(old, after.generations[index]));
  return known.find((problem) => problem !== null) ?? null;
}

function problemOf(old: Generation, now: Generation | undefined): string | null {
  if (now === undefined || now.keyId !== old.keyId) return `generation "${old.keyId}" is not in its place`;
  const changed = FIXED.find((member) => now[member] !== old[member]);
  if (changed !== undefined) return `"${changed}" of generation "${old.keyId}" is another`;
  const moved = STAMPS.find((stamp) => old[stamp] !== undefined && now[stamp] !== old[stamp]);
  if (moved !== undefined) return `"${moved}" of generation "${old.keyId}" is another`;
  if (AGE[now.state] < AGE[old.state]) return `generation "${old.keyId}" was ${old.state}, and would be ${now.state}`;
  if (old.compromised === undefined) return null;
  if (now.compromised === undefined) return `generation "${old.keyId}" would not be compromised any more`;
  if (now.compromised.at !== old.compromised.at)
    return `generation "${old.keyId}" was declared compromised at another time`;
  const reopened = old.compromised.stored === "block" && now.compromised.stored === "allow";
  return reopened ? `what was stored under generation "${old.keyId}" would open again` : null;
}
