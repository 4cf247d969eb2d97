import { profileNamed } from "../../profiles/index.ts";
import { renderScope } from "../../profiles/profile.ts";
import { renderRule } from "../../profiles/rule.ts";
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
  for (const constraint of constraints) {
    const { rule, reason } = constraint;
    io.stdout(`${paint("bold", renderScope(constraint))}: ${renderRule(rule)}\n    ${reason}\n`);
  }
  return EXIT.done;
};
