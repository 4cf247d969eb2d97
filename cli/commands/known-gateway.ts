import { fleetErrors } from "../../services/backend/fleet/errors.ts";
import { gatewayName } from "../arguments.ts";
import type { CommandContext } from "../command.ts";
import { confirm } from "../confirm.ts";
import { askBackend } from "./gateway-backend.ts";

/**
 * The gateway that a command names and takes something from for good. Nobody is asked about one that there is not.
 * @param question with the gateway's name
 * @throws CLI_USAGE, GATEWAY_UNKNOWN, CONFIRMATION_NEEDED, CANCELLED
 */
export async function confirmedGateway(context: CommandContext, question: (name: string) => string): Promise<string> {
  const name = gatewayName(context.args[0]);
  // Whoever has answered already is told by the backend.
  if (!context.flags.yes) await assertKnown(context, name);
  await confirm(context, question(name));
  return name;
}

/**
 * Refuses the name of a gateway that the backend does not know.
 * @throws GATEWAY_UNKNOWN
 */
export async function assertKnown(context: CommandContext, name: string): Promise<void> {
  const gateways = await askBackend<readonly { readonly name: string }[]>(context, "GET", "/v1/gateways");
  if (gateways.some((each) => each.name === name)) return;
  throw fleetErrors.error("GATEWAY_UNKNOWN", `the backend knows no gateway "${name}"`, { path: "gateway" });
}
