import { PROFILE_NAMES } from "../../model/deployment.ts";
import { AVAILABLE_ENGINES, PROFILES } from "../../profiles/index.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";

/** `profile list`. */
export const run: Run = async ({ io, flags, paint }) => {
  const profiles = PROFILE_NAMES.map((name) => {
    const { summary, defaults } = PROFILES[name];
    const available = AVAILABLE_ENGINES.some((engine) => engine === defaults.engine);
    return { name, summary, engine: defaults.engine, available };
  });
  if (flags.json) printJson(io, { schema: "trustkern.profile-list/1", profiles });
  else {
    for (const { name, summary, available } of profiles) {
      const note = available ? "" : paint("dim", " (engine not in this version)");
      io.stdout(`${paint("bold", name.padEnd(16))} ${summary}${note}\n`);
    }
  }
  return EXIT.done;
};
