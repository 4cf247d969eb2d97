import { EXIT } from "../../shared/errors.ts";
import { assertDestroyable, destroyGeneration, leftByDestruction } from "../../stacks/host/generations/destroy.ts";
import { openGenerations } from "../../stacks/host/generations/site.ts";
import type { Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { printChange } from "./gateway-backend.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

/** `keys destroy KEY-ID`: what is encrypted to it is never opened again. */
export const run: Run = async (context) => {
  const keyId = (context.args[0] ?? "").toLowerCase();
  const dryRun = context.options.dryRun === true;
  const site = await generationsSite(context);
  using generations = openGenerations(site);
  const generation = await assertDestroyable(generations.place, keyId);
  const wasDestroyed = generation.state === "destroyed";
  const left = leftByDestruction(generation);
  const tail = left === null ? "" : `\n${left}`;
  if (!dryRun && !wasDestroyed)
    await confirm(context, `Nobody will ever open again what is encrypted to generation ${keyId}.${tail}`);
  const copies = dryRun ? [] : await changingKeys(site, ({ place }) => destroyGeneration(place, keyId));
  const from = copies.map((file) => `\nremoved from a cold copy: ${file}`).join("");
  const says = wasDestroyed ? "was destroyed before" : dryRun ? "would be destroyed" : "is destroyed";
  const answer = { keyId, wasDestroyed, dryRun, left, copies };
  printChange(context, "trustkern.keys-destroyed/1", answer, `generation ${keyId} ${says}${from}${tail}`);
  return EXIT.done;
};
