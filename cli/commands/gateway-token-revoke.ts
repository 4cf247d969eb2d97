import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { askBackend, printChange } from "./gateway-backend.ts";
import { confirmedGateway } from "./known-gateway.ts";

/** `gateway token revoke GATEWAY ID`: ends the token at once, and the gateway's session at the broker. */
export const run: Run = async (context) => {
  const [, id = ""] = context.args;
  const gateway = await confirmedGateway(context, (name) => `revoke token ${id} of ${name}`);
  const path = `/v1/gateways/${encodeURIComponent(gateway)}/tokens/${encodeURIComponent(id)}/revoke`;
  const answer = await askBackend<object>(context, "POST", path);
  printChange(context, "trustkern.gateway-token-revoked/1", answer, `token ${id} of ${gateway} is revoked`);
  return EXIT.done;
};
