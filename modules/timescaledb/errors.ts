import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the database module. */
export const timescaledbErrors = catalogue({
  MIGRATION_DISK_FULL: {
    exit: EXIT.resource,
    summary:
      "The disk of the database is full, so its tables could not be brought to this version; they are as they were.",
    fix: "free space on the disk of the database, then deploy again",
  },
  MIGRATION_FAILED: {
    exit: EXIT.resource,
    summary: "The database's tables could not be brought to this version; nothing was changed.",
    fix: "check that the database is reachable and that its owner's password is the deployment's, then deploy again",
  },
  RETENTION_FAILED: {
    exit: EXIT.resource,
    summary: "The retention of the deployment could not be set in the database; the earlier one holds.",
    fix: "check that the database is reachable and that its owner's password is the deployment's, then deploy again",
  },
});
