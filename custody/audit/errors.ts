import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `custody/audit/`. */
export const auditErrors = catalogue({
  CUSTODY_AUDIT_UNAVAILABLE: {
    exit: EXIT.resource,
    summary:
      "The audit log could not be written in time: nothing is answered without a record. The record may be in the log afterwards, or not.",
    fix: "free space on the file system of the audit folder, and check its disk; custody goes on by itself once it can write",
  },
  CUSTODY_AUDIT_CORRUPT: {
    exit: EXIT.resource,
    summary: "The audit log is not as custody left it: it does not fit its signed head.",
    fix: "run `trustkern keys audit verify`, keep the folder for whoever investigates, and restore it from a backup; then `trustkern keys seal` and `trustkern keys unseal` have custody open it anew",
  },
  CUSTODY_AUDIT_ENTRY: {
    exit: EXIT.failed,
    summary: "Something was to be recorded in a form that the audit log does not know.",
    fix: "run one release of custody and of what talks to it, and report the message",
  },
});
