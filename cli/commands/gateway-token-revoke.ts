import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { askBackend, printChange } from "./gateway-backend.ts";

/** `gateway token revoke GATEWAY ID`: ends the token at once, and the gateway's session at the broker. */
export const run: Run = async (context) => {
  const [gateway = "", id = ""] = context.args;
  await confirm(context, `revoke token ${id} of ${gateway}`);
  const path = `/v1/gateways/${encodeURIComponent(gateway)}/tokens/${encodeURIComponent(id)}/revoke`;
  const answer = await askBackend<object>(context, "POST", path);
  printChange(context, "trustkern.gateway-token-revoked/1", answer, `token ${id} of ${gateway} is revoked`);
  return EXIT.done;
};
