import type { Run } from "../command.ts";
import { needsClone } from "../project-files.ts";

/** Stands in a toolkit for every command that works from the project's sources. */
export const run: Run = async () => {
  throw needsClone("this command");
};
