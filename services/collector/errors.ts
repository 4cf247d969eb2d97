import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the collector. */
export const collectorErrors = catalogue({
  COLLECTOR_ALLOWLIST_CORRUPT: {
    exit: EXIT.resource,
    summary:
      "The collector's copy of the allowlist does not verify: its bytes changed, or the backend's key is another.",
    fix: "check the backend key file; when that is right, delete the copy, and the collector fetches a new one",
  },
  COLLECTOR_BACKEND_AWAY: {
    exit: EXIT.resource,
    summary: "The backend did not hand out the collector's allowlist.",
    fix: "check that the backend runs and knows the collector's certificate; the collector tries again by itself",
  },
  COLLECTOR_BACKEND_KEY: {
    exit: EXIT.configuration,
    summary: "The backend key file does not hold an uncompressed P-256 point in hex.",
    fix: "write the backend's public signing key there, 130 hexadecimal digits; `trustkern up` and `trustkern deploy` do",
  },
  STORE_UNAVAILABLE: {
    exit: EXIT.resource,
    summary: "The database did not take a batch, for a reason that is not in its rows; nothing of it is stored.",
    fix: "check that the database runs and has room on its disk; the collector tries again by itself",
  },
});
