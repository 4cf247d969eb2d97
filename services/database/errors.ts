import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the embedded database. */
export const databaseErrors = catalogue({
  DATABASE_DIR_IN_USE: {
    exit: EXIT.resource,
    summary: "Another living process has the database's data directory open.",
    fix: "stop the other database process, or give this one another dataDir",
  },
  DATABASE_DIR_CORRUPT: {
    exit: EXIT.resource,
    summary: "The database does not start from its data directory: files are missing, damaged, or of another version.",
    fix: "restore the directory from a backup, or move it away to begin with an empty database",
  },
  DATABASE_DIR_UNUSABLE: {
    exit: EXIT.resource,
    summary: "The database's data directory cannot be made or written.",
    fix: "check the path, its owner and its rights",
  },
  DATABASE_DISK_FULL: {
    exit: EXIT.resource,
    summary: "The disk under the database's data directory has no room left.",
    fix: "free some space on that disk and start the database again; what it confirmed is still there",
  },
  DATABASE_DIED: {
    exit: EXIT.resource,
    summary: "The database engine stopped in the middle of its work.",
    fix: "start the database again: it recovers from its write-ahead log; read its log if it happens again",
  },
  DATABASE_ROLES_UNSAFE: {
    exit: EXIT.bug,
    summary: "The database engine cannot bind a session to its role, so that a reader could become more than a reader.",
    fix: "use the pinned version of the engine; this is our own bug",
  },
});
