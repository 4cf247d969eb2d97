import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of `model/`. */
export const modelErrors = catalogue({
  BOUNDARY_BROKEN: {
    exit: EXIT.policy,
    summary: "A component holds, or a flow carries, a data class that its zones must not see.",
    fix: "move the component into the decryption zone, or take the data class away from the component or the flow; model/boundary-table.ts is the rule",
  },
});
