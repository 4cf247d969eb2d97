import type { GenerationRecord } from "./book.ts";
import {
  applyStatement,
  digestOf,
  type KeyringState,
  parseState,
  parseStatement,
  renderState,
  type Writer,
} from "./state.ts";
import { corruptState, type StateFile } from "./state-file.ts";

/**
 * The state that the last record names: the one in the file, or the one that this record leads to when its change was
 * recorded and not written; then it is written now. Null where no generation was ever recorded.
 * @throws CUSTODY_STATE_CORRUPT when the file is any other: changed, older, newer, missing
 * @throws CUSTODY_STATE_UNREADABLE
 * @throws CUSTODY_STATE_UNWRITABLE
 */
export async function recoverState(file: StateFile, last: GenerationRecord | undefined): Promise<KeyringState | null> {
  const text = await file.read();
  if (last === undefined) {
    if (text === null) return null;
    throw corruptState(file.path, "the audit log has no record of it");
  }
  if (digestOf(text) === last.state) return text === null ? null : parsed(file, parseState(text));
  const { base, next } = parsed(file, parseStatement(last.statement));
  if (digestOf(text) !== base || next === null) {
    const found = text === null ? "it is missing" : `its SHA-256 is ${digestOf(text)}`;
    throw corruptState(file.path, `${found}, and the last record names ${last.state}`);
  }
  const state = applyStatement(text === null ? null : parsed(file, parseState(text)), next);
  const redone = renderState(state);
  if (digestOf(redone) !== last.state) throw corruptState(file.path, "the last record does not lead to what it names");
  await file.write(redone);
  return state;
}

function parsed<T extends object>(file: StateFile, value: T | { readonly defect: string }): T {
  if ("defect" in value) throw corruptState(file.path, String(value.defect));
  return value;
}

/**
 * Which keys of the store may be destroyed although no generation has them: those of a change that was announced and
 * not recorded. Any other is a sign of an older state and log, put back in front of a newer store.
 */
export function mayDestroyOrphans(last: GenerationRecord | undefined, orphans: readonly string[]): boolean {
  if (last?.change === "withdrawn") return orphans.every((keyId) => last.keyIds.includes(keyId));
  // The first change of all makes two keys, any later one makes one.
  return last?.change === "making" && orphans.length <= (last.state === digestOf(null) ? 2 : 1);
}

/** What is left to erase at an opening: the last record says that a key goes, and none says that it went. */
export function unfinishedErasure(last: GenerationRecord | undefined): readonly string[] {
  if (last?.change === "destroying") return last.keyIds;
  const statement = last?.change === "followed" ? parseStatement(last.statement) : null;
  const changed = statement !== null && "next" in statement ? (statement.next?.generations ?? []) : [];
  return changed.filter(({ state }) => state === "destroyed").map(({ keyId }) => keyId);
}

/**
 * The custody whose changes were recorded last; null where they were this one's own, or where there is no record.
 * @throws CUSTODY_STATE_CORRUPT
 */
export function recordedWriter(file: StateFile, last: GenerationRecord | undefined): Writer | null {
  return (last && parsed(file, parseStatement(last.statement)).writer) ?? null;
}
