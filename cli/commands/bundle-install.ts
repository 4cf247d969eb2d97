import { bringFile } from "../bundle-site.ts";
import type { Run } from "../command.ts";

/** `bundle install FILE`. */
export const run: Run = (context) => bringFile(context, "install");
