import { lstatSync, readdirSync } from "node:fs";
import { hostErrors } from "./errors.ts";
import { makePrivateDir, writing } from "./files.ts";
import type { Layout } from "./layout.ts";

/** Everything that the engine ever puts into a state directory. */
const OURS =
  /^(?:deployment\.json|lock|rotation\.json|namespace\.json|secrets|authorities|config|custody|volumes|run|logs|terraform|trust)(?:\.[a-z0-9]+)*$/;

/**
 * Makes the folders of a deployment, private to their owner. Somebody else's folder is left as it is.
 * @throws STATE_FOREIGN when the directory holds something that is not ours, STATE_UNWRITABLE
 */
export function claimDirs(layout: Layout): void {
  const [foreign] = entriesOf(layout.dir).filter((name) => !OURS.test(name));
  if (foreign !== undefined) {
    throw hostErrors.error("STATE_FOREIGN", `"${layout.dir}" holds "${foreign}", which is not part of a deployment`, {
      path: layout.dir,
    });
  }
  for (const dir of [layout.dir, layout.runDir, layout.logsDir]) makePrivateDir(dir);
  assertOwn(layout);
}

/** The run folder may lie in a folder that everybody writes to: whoever made it first could put sockets of his own into it. */
function assertOwn({ dir, runDir }: Layout): void {
  const [ours, run] = [lstatSync(dir), lstatSync(runDir)];
  if (run.isDirectory() && run.uid === ours.uid) return;
  throw hostErrors.error("STATE_FOREIGN", `"${runDir}" is not a folder of the user whose deployment this is`, {
    path: runDir,
    fix: "remove it, or name a state directory with a shorter path with --dir, so that sockets fit into it",
  });
}

function entriesOf(dir: string): readonly string[] {
  return writing(dir, () => {
    try {
      return readdirSync(dir);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw thrown;
    }
  });
}
