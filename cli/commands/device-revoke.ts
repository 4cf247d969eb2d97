import { EXIT } from "../../shared/errors.ts";
import { hardwareId } from "../arguments.ts";
import type { Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { printChange } from "./gateway-backend.ts";
import { revokeForGood } from "./take-revocations.ts";

/** `device revoke HARDWARE-ID`: for good, with the gateway or the sensor that it is. */
export const run: Run = async (context) => {
  const id = hardwareId(context.args[0]);
  await confirm(context, `revoke device ${id} for good`);
  const answer = await revokeForGood(context, `/v1/device-records/${encodeURIComponent(id)}/revoke`);
  printChange(context, "trustkern.device-revoked/1", answer, `device ${id} is revoked`);
  return EXIT.done;
};
