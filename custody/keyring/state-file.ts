import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { custodyErrors } from "../errors.ts";

/** The file of a keyring's state, mode 0600. It holds no secret; what it says must fit the audit log. */
export interface StateFile {
  readonly path: string;
  /**
   * Its text, or null where it is not there.
   * @throws CUSTODY_STATE_UNREADABLE
   */
  readonly read: () => string | null;
  /**
   * Replaces it: whatever dies meanwhile, it is the old text or the new one.
   * @throws CUSTODY_STATE_UNWRITABLE
   */
  readonly write: (text: string) => void;
}

/** `generations.json` in a folder, which is made with mode 0700 at the first writing. */
export function stateFileIn(folder: string): StateFile {
  const path = join(folder, "generations.json");
  return {
    path,
    read: () => {
      try {
        return readFileSync(path, "utf8");
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw custodyErrors.error("CUSTODY_STATE_UNREADABLE", `cannot read: ${messageOf(cause)}`, { path, cause });
      }
    },
    write: (text) => {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileAtomic(path, text);
      } catch (cause) {
        throw custodyErrors.error("CUSTODY_STATE_UNWRITABLE", `cannot write: ${messageOf(cause)}`, { path, cause });
      }
    },
  };
}

/** The error for a state that does not fit what was recorded, or what the store holds. */
export function corruptState(path: string, reason: string): Error {
  return custodyErrors.error("CUSTODY_STATE_CORRUPT", `the state of the keyring is not what was recorded: ${reason}`, {
    path,
  });
}
