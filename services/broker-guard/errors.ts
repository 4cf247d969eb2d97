import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the guard of Mosquitto. */
export const guardErrors = catalogue({
  GUARD_MOSQUITTO_FAILED: {
    exit: EXIT.resource,
    summary: "Mosquitto does not start, does not answer a signal, or ended by itself.",
    fix: "read the broker's log: trustkern logs broker",
  },
  GUARD_SESSION_NOT_ENDED: {
    exit: EXIT.resource,
    summary:
      "Mosquitto did not end the sessions of a client that may not be connected any more; the guard starts it anew.",
    fix: "read the broker's log: trustkern logs broker",
  },
});
