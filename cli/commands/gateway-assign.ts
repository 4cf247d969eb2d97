import { EXIT } from "../../shared/errors.ts";
import { gatewayName, hardwareId } from "../arguments.ts";
import type { Run } from "../command.ts";
import { askBackend, printChange } from "./gateway-backend.ts";

/** `gateway assign GATEWAY HARDWARE-ID`: gives a name to a made device, which may then enrol under it. */
export const run: Run = async (context) => {
  const gateway = gatewayName(context.args[0]);
  const body = { hardware_id: hardwareId(context.args[1]) };
  const path = `/v1/gateways/${encodeURIComponent(gateway)}`;
  const answer = await askBackend<object>(context, "PUT", path, body);
  printChange(context, "trustkern.gateway-assigned/1", answer, `${gateway} is device ${body.hardware_id}`);
  return EXIT.done;
};
