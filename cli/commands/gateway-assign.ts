import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { askBackend, printChange } from "./gateway-backend.ts";

/** `gateway assign GATEWAY HARDWARE-ID`: gives a name to a made device, which may then enrol under it. */
export const run: Run = async (context) => {
  const [gateway = "", hardwareId = ""] = context.args;
  const body = { hardware_id: hardwareId.toLowerCase() };
  const path = `/v1/gateways/${encodeURIComponent(gateway)}`;
  const answer = await askBackend<object>(context, "PUT", path, body);
  printChange(context, "trustkern.gateway-assigned/1", answer, `${gateway} is device ${body.hardware_id}`);
  return EXIT.done;
};
