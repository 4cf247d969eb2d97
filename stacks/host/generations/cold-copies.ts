import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeFileDurably } from "../../../shared/atomic-file.ts";
import { writing } from "../files.ts";

/** What a site of a bundle has beside its state: without both, a folder `backup` is somebody else's. */
const [BACKUP, JOURNAL] = ["backup", "journal.jsonl"];
/** Where a copy lies while it is made, and what a run that was killed at it has left. */
const [STAGING, PARTIAL] = ["staging", "backup-"];
/** Where custody's own files of keys are, below a state directory. */
const KEYS = join("volumes", "custody", "keys");

/**
 * Takes a generation's key out of the cold copies of a site whose state this is: an upgrade has copied it, and no way back puts it
 * in place; one that was not finished has it too. Done again, it comes to the same.
 * @returns the files that were removed just now; none where the state is no site's, or the keys are on a device
 * @throws STATE_UNWRITABLE
 */
export function destroyInCopies(stateDir: string, keyId: string): readonly string[] {
  const site = dirname(stateDir);
  const [backup, staging] = [join(site, BACKUP), join(site, STAGING)];
  if (!existsSync(backup) || !existsSync(join(site, JOURNAL))) return [];
  const partial = (existsSync(staging) ? readdirSync(staging) : []).filter((name) => name.startsWith(PARTIAL));
  const copies = [
    ...readdirSync(backup).map((name) => join(backup, name)),
    ...partial.map((name) => join(staging, name)),
  ];
  const files = copies.map((copy) => join(copy, KEYS, `${keyId}.key`)).filter((file) => existsSync(file));
  for (const file of files) writing(file, () => removeFileDurably(file));
  return files;
}
