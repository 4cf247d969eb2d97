import { EXIT } from "../../shared/errors.ts";
import { gatewayName } from "../arguments.ts";
import type { Run } from "../command.ts";
import { askBackend, printChange } from "./gateway-backend.ts";

/** `gateway allow-again GATEWAY`: lets a gateway that is enrolled enrol once more, such as after an answer that it did not get. */
export const run: Run = async (context) => {
  const gateway = gatewayName(context.args[0]);
  const answer = await askBackend<object>(context, "POST", `/v1/gateways/${encodeURIComponent(gateway)}/allow-again`);
  printChange(context, "trustkern.gateway-allowed-again/1", answer, `${gateway} may enrol once more`);
  return EXIT.done;
};
