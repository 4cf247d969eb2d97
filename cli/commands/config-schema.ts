import { deploymentJsonSchema } from "../../profiles/schema.ts";
import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { writeOutput } from "../files.ts";

/** `config schema`: with `--json` on one line, since the document is JSON anyhow. */
export const run: Run = async ({ io, flags, options }) => {
  const indent = flags.json ? undefined : 2;
  const output = typeof options.output === "string" ? options.output : undefined;
  writeOutput(io, output, `${JSON.stringify(deploymentJsonSchema(), null, indent)}\n`);
  return EXIT.done;
};
