import { EXIT } from "../../shared/errors.ts";
import { custodyManagement } from "../../stacks/host/custody-management.ts";
import { sealAll } from "../../stacks/host/trust/seal-all.ts";
import { printJson, type Run } from "../command.ts";
import { custodyHost } from "../custody-host.ts";
import { talk } from "../talk.ts";
import { actorOf } from "../user.ts";

const SCHEMA = "trustkern.keys-seal/1";

/** `keys seal`: custody forgets every key, and stays so also where `keys unseal --watch` runs. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { socket, followers } = await custodyHost(context);
  const managements = [socket, ...followers].map(custodyManagement);
  try {
    const reason = typeof options.reason === "string" ? options.reason : "ordered by an operator";
    const dryRun = options.dryRun === true;
    const { wasSealed, answered, failure } = await sealAll(managements, { actor: actorOf(io), reason, dryRun });
    if (failure !== undefined) {
      if (answered > 0 && !dryRun) talk(context)(`${answered} of ${managements.length} custodies are sealed`);
      throw failure;
    }
    if (flags.json) printJson(io, { schema: SCHEMA, sealed: wasSealed || !dryRun, wasSealed, dryRun });
    else io.stdout(`${words(wasSealed, dryRun)}\n`);
  } finally {
    for (const management of managements) management.close();
  }
  return EXIT.done;
};

function words(wasSealed: boolean, dryRun: boolean): string {
  if (dryRun) return wasSealed ? "custody is sealed" : "custody is unsealed, and would be sealed";
  return `custody ${wasSealed ? "was sealed, and stays so" : "is sealed"} until trustkern keys unseal`;
}
