import { EXIT } from "../../shared/errors.ts";
import { MANAGE_MS } from "../../stacks/host/custody-management.ts";
import type { Run } from "../command.ts";
import { readInput } from "../files.ts";
import { printChange } from "./gateway-backend.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

/** `keys import PACKAGE`: the generation of a ceremony is next; `keys rotate` goes over to it. */
export const run: Run = async (context) => {
  const bytes = await readInput(context.io, context.args[0] ?? "");
  const site = await generationsSite(context);
  const { keyId, state } = await changingKeys(site, ({ management }) =>
    management.call("import", { actor: site.actor, package: bytes }, MANAGE_MS),
  );
  const next = state === "next" ? "; trustkern keys rotate goes over to it" : "";
  printChange(context, "trustkern.keys-imported/1", { keyId, state }, `generation ${keyId} is ${state}${next}`);
  return EXIT.done;
};
