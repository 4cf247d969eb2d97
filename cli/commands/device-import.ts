import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { readInput } from "../files.ts";
import { askBackend, printChange } from "./gateway-backend.ts";

/** `device import FILE`: a maker's signed record of made devices, `-` for stdin; all of it or nothing. */
export const run: Run = async (context) => {
  const [file = "-"] = context.args;
  const record = Buffer.from(await readInput(context.io, file))
    .toString("utf8")
    .trim();
  const answer = await askBackend<{ maker: string; devices: number }>(context, "POST", "/v1/device-records", {
    record,
  });
  const words = `${answer.devices} devices of maker ${answer.maker} are on record`;
  printChange(context, "trustkern.device-import/1", answer, words);
  return EXIT.done;
};
