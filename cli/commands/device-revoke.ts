import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { askBackend, printChange } from "./gateway-backend.ts";

/** `device revoke HARDWARE-ID`: for good, with the gateway or the sensor that it is. */
export const run: Run = async (context) => {
  const id = (context.args[0] ?? "").toLowerCase();
  await confirm(context, `revoke device ${id} for good`);
  const answer = await askBackend<object>(context, "POST", `/v1/device-records/${encodeURIComponent(id)}/revoke`);
  printChange(context, "trustkern.device-revoked/1", answer, `device ${id} is revoked`);
  return EXIT.done;
};
