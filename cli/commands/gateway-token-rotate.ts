import { EXIT } from "../../shared/errors.ts";
import { gatewayName } from "../arguments.ts";
import type { Run } from "../command.ts";
import { wholeNumber } from "../whole-number.ts";
import { askBackend } from "./gateway-backend.ts";
import { type NewToken, printToken } from "./gateway-token-secret.ts";

/** `gateway token rotate GATEWAY`: a new token, printed once; the others end with the overlap. */
export const run: Run = async (context) => {
  const gateway = gatewayName(context.args[0]);
  const lifetime = wholeNumber(context.options.days, "--days", 1, 365);
  const overlap = wholeNumber(context.options.overlapHours, "--overlap-hours", 0, 168);
  const body = {
    ...(lifetime !== undefined && { lifetime_days: lifetime }),
    ...(overlap !== undefined && { overlap_hours: overlap }),
  };
  const path = `/v1/gateways/${encodeURIComponent(gateway)}/tokens/rotate`;
  printToken(context, gateway, await askBackend<NewToken>(context, "POST", path, body));
  return EXIT.done;
};
