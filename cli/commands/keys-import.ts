import { readPackage } from "../../custody/package.ts";
import { EXIT } from "../../shared/errors.ts";
import { MANAGE_MS } from "../../stacks/host/custody-management.ts";
import { planImport } from "../../stacks/host/generations/import.ts";
import type { Run } from "../command.ts";
import { readInput } from "../files.ts";
import { printChange } from "./gateway-backend.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

/** `keys import PACKAGE`: the generation of a ceremony is next; `keys rotate` goes over to it. */
export const run: Run = async (context) => {
  const { io, args, options } = context;
  const [name = ""] = args;
  const dryRun = options.dryRun === true;
  const bytes = await readInput(io, name);
  const packaged = readPackage(bytes, name === "-" ? "stdin" : name);
  const site = await generationsSite(context);
  const { keyId, state } = await changingKeys(site, async (generations) => {
    const planned = await planImport(generations, site.deployment.tenant, packaged);
    if (dryRun) return { keyId: packaged.keyId, state: planned };
    return generations.management.call("import", { actor: site.actor, package: bytes }, MANAGE_MS);
  });
  const next = state === "next" ? "; trustkern keys rotate goes over to it" : "";
  const words = `generation ${keyId} ${dryRun ? "would be" : "is"} ${state}${next}`;
  printChange(context, "trustkern.keys-imported/1", { keyId, state, dryRun }, words);
  return EXIT.done;
};
