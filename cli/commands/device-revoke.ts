import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { hardwareId, sensorId } from "../arguments.ts";
import type { CommandContext, Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { askBackend, printChange } from "./gateway-backend.ts";
import { revokeForGood } from "./take-revocations.ts";

/** `device revoke ID`: for good, with the gateway that it is; with `--sensor` a sensor, by its id in the allowlist. */
export const run: Run = async (context) => {
  const { args, options } = context;
  if (options.sensor === true) return revokeSensor(context, sensorId(args[0]));
  const id = hardwareId(args[0]);
  await confirm(context, `revoke device ${id} for good`);
  const answer = await revokeForGood(context, `/v1/device-records/${encodeURIComponent(id)}/revoke`);
  printChange(context, "trustkern.device-revoked/1", answer, `device ${id} is revoked`);
  return EXIT.done;
};

async function revokeSensor(context: CommandContext, id: string): Promise<ExitCode> {
  await confirm(context, `revoke sensor ${id} for good: gateways and the collector refuse its envelopes from then on`);
  const answer = await askBackend<object>(context, "POST", `/v1/devices/${id}/revoke`);
  printChange(context, "trustkern.sensor-revoked/1", answer, `sensor ${id} is revoked`);
  return EXIT.done;
}
