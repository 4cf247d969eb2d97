import { EXIT } from "../../shared/errors.ts";
import { custodyManagement, MANAGE_MS } from "../../stacks/host/custody-management.ts";
import { healthOf } from "../../stacks/host/trust/unseal.ts";
import { printJson, type Run } from "../command.ts";
import { custodyHost } from "../custody-host.ts";
import { actorOf } from "../user.ts";

const SCHEMA = "trustkern.keys-seal/1";

/** `keys seal`: custody forgets every key, and stays so also where `keys unseal --watch` runs. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { socket, followers } = await custodyHost(context);
  const managements = [socket, ...followers].map(custodyManagement);
  try {
    const healths = await Promise.all(managements.map(healthOf));
    const wasSealed = healths.every(({ sealed }) => sealed);
    const reason = typeof options.reason === "string" ? options.reason : "ordered by an operator";
    const dryRun = options.dryRun === true;
    if (!dryRun) {
      for (const management of managements) await management.call("seal", { actor: actorOf(io), reason }, MANAGE_MS);
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
