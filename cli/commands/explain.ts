import { nearest } from "../../profiles/nearest.ts";
import { EXIT } from "../../shared/errors.ts";
import { allErrors } from "../catalogues.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";

/** `explain CODE`, offline. */
export const run: Run = async ({ io, flags, args, paint }) => {
  const [typed = ""] = args;
  const errors = allErrors();
  const entry = errors.get(typed.toUpperCase());
  if (!entry) {
    const meant = nearest(typed, errors.keys());
    const fix = meant && `did you mean ${meant}?`;
    throw cliErrors.error("CODE_UNKNOWN", `"${typed}" is not an error code`, { path: typed, fix });
  }
  const code = typed.toUpperCase();
  if (flags.json) printJson(io, { schema: "trustkern.explain/1", code, ...entry });
  else io.stdout(`${paint("bold", code)}: ${entry.summary}\n  fix: ${entry.fix}\n  exit code: ${entry.exit}\n`);
  return EXIT.done;
};
