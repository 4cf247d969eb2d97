import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the schema job. */
export const schemaErrors = catalogue({
  SCHEMA_DATABASE_AWAY: {
    exit: EXIT.timeout,
    summary:
      "The database did not answer in time, or its certificate could not be verified; the message says what came last.",
    fix: "read the log of the component database, mend what it says, then deploy again",
  },
  SCHEMA_DATABASE_REFUSED: {
    exit: EXIT.authentication,
    summary: "The database refuses the login of the schema job.",
    fix: "check that the owner's password is that with which the database's volume was made, then deploy again",
  },
  SCHEMA_ROLES_FAILED: {
    exit: EXIT.resource,
    summary: "The extension or the roles of the database could not be made; the roles are as they were.",
    fix: "check that the image of the component database has TimescaleDB, then deploy again",
  },
});
