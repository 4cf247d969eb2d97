import { EXIT } from "../../shared/errors.ts";
import { gatewayName } from "../arguments.ts";
import type { Run } from "../command.ts";
import { askBackend, printRows, type Row } from "./gateway-backend.ts";
import { assertKnown } from "./known-gateway.ts";

/** `gateway token list GATEWAY`: never the tokens themselves, which nobody has. */
export const run: Run = async (context) => {
  const gateway = gatewayName(context.args[0]);
  const path = `/v1/gateways/${encodeURIComponent(gateway)}/tokens`;
  const rows = await askBackend<readonly Row[]>(context, "GET", path);
  // A gateway that there is not has no tokens either: that is another answer.
  if (rows.length === 0) await assertKnown(context, gateway);
  const columns = ["id", "issued_at", "expires_at", "revoked_at", "last_used_at", "certificate_sha256"];
  printRows(context, { schema: "trustkern.gateway-tokens/1", member: "tokens", columns, rows });
  return EXIT.done;
};
