import { PROFILE_NAMES } from "../../model/deployment.ts";
import { PROFILES } from "../../profiles/index.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";

/** `profile list`. */
export const run: Run = async ({ io, flags, paint }) => {
  const profiles = PROFILE_NAMES.map((name) => {
    const { summary, defaults } = PROFILES[name];
    return { name, summary, engine: defaults.engine };
  });
  if (flags.json) printJson(io, { schema: "trustkern.profile-list/1", profiles });
  else {
    for (const { name, summary } of profiles) io.stdout(`${paint("bold", name.padEnd(16))} ${summary}\n`);
  }
  return EXIT.done;
};
