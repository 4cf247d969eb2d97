import { EXIT } from "../../shared/errors.ts";
import { compromiseGeneration } from "../../stacks/host/generations/compromise.ts";
import type { CommandContext, Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { cliErrors } from "../errors.ts";
import { needed } from "../needed.ts";
import { printChange } from "./gateway-backend.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

/** `keys compromise KEY-ID --reason TEXT`: waits for no overlap and for nobody. */
export const run: Run = async (context) => {
  const keyId = (context.args[0] ?? "").toLowerCase();
  const reason = needed(context.options.reason, "--reason");
  const stored = storedOf(context);
  const site = await generationsSite(context);
  const closed = stored === "block" ? " What is stored and encrypted to it is closed for good, too." : "";
  await confirm(context, `Generation ${keyId} will open nothing that sensors send from now on.${closed}`);
  const done = await changingKeys(site, async ({ place, evidence }) =>
    compromiseGeneration(place, await evidence(), { keyId, stored, reason }),
  );
  const words = `generation ${keyId} is blocked, and ${done.active} is active; evidence: ${done.evidence}`;
  printChange(context, "trustkern.keys-compromised/1", { ...done, stored }, words);
  return EXIT.done;
};

/** What is allowed can be blocked later, and never the other way round: so nothing is lost by default, in any profile. */
function storedOf({ options }: CommandContext): "allow" | "block" {
  const { stored = "allow" } = options;
  if (stored === "allow" || stored === "block") return stored;
  throw cliErrors.error("CLI_USAGE", `--stored is "${String(stored)}"; accepted: allow, block`, { path: "--stored" });
}
