import { EXIT } from "../../shared/errors.ts";
import { gatewayName, serialNumber } from "../arguments.ts";
import type { Run } from "../command.ts";
import { wholeNumber } from "../whole-number.ts";
import { askBackend } from "./gateway-backend.ts";
import { type NewToken, printToken } from "./gateway-token-secret.ts";

/** `gateway token issue GATEWAY`: a token for the gateway's newest certificate, printed once. */
export const run: Run = async (context) => {
  const gateway = gatewayName(context.args[0]);
  const { days, certificate } = context.options;
  const lifetime = wholeNumber(days, "--days", 1, 365);
  const body = {
    ...(lifetime !== undefined && { lifetime_days: lifetime }),
    ...(typeof certificate === "string" && { certificate_serial: serialNumber(certificate, "--certificate") }),
  };
  const path = `/v1/gateways/${encodeURIComponent(gateway)}/tokens`;
  printToken(context, gateway, await askBackend<NewToken>(context, "POST", path, body));
  return EXIT.done;
};
