import { constants } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { isMissing, syncFolder } from "../audit/files.ts";
import { custodyErrors } from "../errors.ts";

/** The file of a keyring's state, mode 0600. It holds no secret; what it says must fit the audit log. One call at a time. */
export interface StateFile {
  readonly path: string;
  /**
   * Its text, or null where it is not there.
   * @throws CUSTODY_STATE_UNREADABLE
   */
  readonly read: () => Promise<string | null>;
  /**
   * Replaces it: whatever dies meanwhile, it is the old text or the new one.
   * @throws CUSTODY_STATE_UNWRITABLE
   */
  readonly write: (text: string) => Promise<void>;
}

/** `generations.json` in a folder, which is made with mode 0700 at the first writing. */
export function stateFileIn(folder: string): StateFile {
  const path = join(folder, "generations.json");
  return {
    path,
    read: async () => {
      try {
        return await readFile(path, "utf8");
      } catch (cause) {
        if (isMissing(cause)) return null;
        throw custodyErrors.error("CUSTODY_STATE_UNREADABLE", `cannot read: ${messageOf(cause)}`, { path, cause });
      }
    },
    write: async (text) => {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await replace(path, text);
      } catch (cause) {
        throw custodyErrors.error("CUSTODY_STATE_UNWRITABLE", `cannot write: ${messageOf(cause)}`, { path, cause });
      }
    },
  };
}

/** As `writeFileAtomic` in `shared/`, but that messages are opened meanwhile. */
async function replace(path: string, text: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_SYNC } = constants;
  const temporary = `${path}.tmp`;
  try {
    await rm(temporary, { force: true });
    await writeFile(temporary, text, { mode: 0o600, flag: O_WRONLY | O_CREAT | O_EXCL | O_SYNC });
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw thrown;
  }
  await syncFolder(dirname(path));
}

/** The error for a state that does not fit what was recorded, or what the store holds. */
export function corruptState(path: string, reason: string): Error {
  return custodyErrors.error("CUSTODY_STATE_CORRUPT", `the state of the keyring is not what was recorded: ${reason}`, {
    path,
  });
}
