import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the Mosquitto module. */
export const mosquittoErrors = catalogue({
  MOSQUITTO_VALUE_INVALID: {
    exit: EXIT.configuration,
    summary:
      "A value cannot stand in Mosquitto's configuration, whose lines have no quotes; the message lists all of them.",
    fix: "use names of a-z 0-9 - for tenant and gateways, and a state directory whose path has no line break or space at its ends",
  },
});
