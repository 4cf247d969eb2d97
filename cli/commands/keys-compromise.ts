import { EXIT } from "../../shared/errors.ts";
import {
  assertCompromisable,
  type CompromiseOrder,
  type CompromiseOutcome,
  compromiseGeneration,
} from "../../stacks/host/generations/compromise.ts";
import { openGenerations } from "../../stacks/host/generations/site.ts";
import type { CommandContext, Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { cliErrors } from "../errors.ts";
import { needed } from "../needed.ts";
import { printChange } from "./gateway-backend.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

const SCHEMA = "trustkern.keys-compromised/1";

const CLOSED =
  "What is stored and encrypted to it is closed for good, too, and its private key is destroyed by the next trustkern keys rotate --due, without waiting for retention.";

/** `keys compromise KEY-ID --reason TEXT`: waits for no overlap and for nobody. */
export const run: Run = async (context) => {
  const keyId = (context.args[0] ?? "").toLowerCase();
  const order = { keyId, reason: needed(context.options.reason, "--reason"), stored: storedOf(context) };
  const site = await generationsSite(context);
  using generations = openGenerations(site);
  const { state } = await assertCompromisable(generations.place, order);
  const says = warningOf(order);
  if (context.options.dryRun === true) {
    printChange(context, SCHEMA, { keyId, state, stored: order.stored, dryRun: true }, `${says}\nNothing was changed.`);
    return EXIT.done;
  }
  await confirm(context, says);
  const done = await changingKeys(site, async ({ place, evidence }) =>
    compromiseGeneration(place, await evidence(), order),
  );
  printChange(context, SCHEMA, { ...done, stored: order.stored, dryRun: false }, outcomeText(done));
  return EXIT.done;
};

function warningOf({ keyId, stored }: CompromiseOrder): string {
  const says = `Generation ${keyId} will open nothing that sensors send from now on.`;
  return stored === "block" ? `${says} ${CLOSED}` : says;
}

function outcomeText({ keyId, active, evidence, repeated, endedRotationTo }: CompromiseOutcome): string {
  const blocked = repeated ? "was blocked before" : "is blocked";
  const head = `generation ${keyId} ${blocked}, and ${active} is active; evidence: ${evidence}`;
  if (endedRotationTo === null) return head;
  const goesOn = endedRotationTo === keyId ? "" : "; it stays next, and trustkern keys rotate begins with it";
  return `${head}\nthe rotation to ${endedRotationTo} is ended${goesOn}`;
}

/** What is allowed can be blocked later, and never the other way round: so nothing is lost by default, in any profile. */
function storedOf({ options }: CommandContext): "allow" | "block" {
  const { stored = "allow" } = options;
  if (stored === "allow" || stored === "block") return stored;
  throw cliErrors.error("CLI_USAGE", `--stored is "${String(stored)}"; accepted: allow, block`, { path: "--stored" });
}
