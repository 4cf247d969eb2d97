import { readdirSync } from "node:fs";
import { hostErrors } from "./errors.ts";
import { makePrivateDir, writing } from "./files.ts";
import type { Layout } from "./layout.ts";

/** Everything that the engine ever puts into a state directory. */
const OURS = /^(?:deployment\.json|lock|secrets|authorities|config|volumes|run|logs|terraform)(?:\.[a-z0-9]+)*$/;

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
