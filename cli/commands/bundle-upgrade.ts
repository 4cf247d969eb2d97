import { bringFile } from "../bundle-site.ts";
import type { Run } from "../command.ts";

/** `bundle upgrade FILE`. */
export const run: Run = (context) => bringFile(context, "upgrade");
