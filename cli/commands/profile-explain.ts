import { profileNamed } from "../../profiles/index.ts";
import { renderRule } from "../../profiles/profile.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";

/** `profile explain`: one line for each constraint, with its reason. */
export const run: Run = async ({ io, flags, args, paint }) => {
  const { name, summary, constraints, defaults } = profileNamed(args[0] ?? "");
  if (flags.json) {
    printJson(io, { schema: "trustkern.profile-explain/1", name, summary, constraints, defaults });
    return EXIT.done;
  }
  io.stdout(`${paint("bold", name)}: ${summary}\n\n`);
  for (const { path, rule, reason } of constraints) {
    io.stdout(`${paint("bold", path)}: ${renderRule(rule)}\n    ${reason}\n`);
  }
  return EXIT.done;
};
