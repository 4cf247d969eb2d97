import { EXIT } from "../../shared/errors.ts";
import { destroyGeneration } from "../../stacks/host/generations/destroy.ts";
import type { Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { printChange } from "./gateway-backend.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

/** `keys destroy KEY-ID`: what is encrypted to it is never opened again. */
export const run: Run = async (context) => {
  const keyId = (context.args[0] ?? "").toLowerCase();
  const site = await generationsSite(context);
  await confirm(context, `Nobody will ever open again what is encrypted to generation ${keyId}.`);
  await changingKeys(site, ({ place }) => destroyGeneration(place, keyId));
  printChange(context, "trustkern.keys-destroyed/1", { keyId }, `generation ${keyId} is destroyed`);
  return EXIT.done;
};
