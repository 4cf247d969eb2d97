import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { askBackend, printRows, type Row } from "./gateway-backend.ts";

/** `device list`: the made devices on record. */
export const run: Run = async (context) => {
  const rows = await askBackend<readonly Row[]>(context, "GET", "/v1/device-records");
  const columns = ["hardware_id", "kind", "maker", "model", "source", "state"];
  printRows(context, { schema: "trustkern.devices/1", member: "devices", columns, rows });
  return EXIT.done;
};
