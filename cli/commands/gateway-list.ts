import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { askBackend, printRows, type Row } from "./gateway-backend.ts";

/** `gateway list`: every gateway that the backend knows, with the made device that it is. */
export const run: Run = async (context) => {
  const rows = await askBackend<readonly Row[]>(context, "GET", "/v1/gateways");
  const columns = ["name", "hardware_id", "state", "enrolled_at"];
  printRows(context, { schema: "trustkern.gateways/1", member: "gateways", columns, rows });
  return EXIT.done;
};
