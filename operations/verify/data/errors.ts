import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of what becomes of a marked message: findings of the layer data. */
export const dataErrors = catalogue({
  DATA_PLAINTEXT_OUTSIDE: {
    exit: EXIT.policy,
    summary: "The plaintext of a marked message lies outside of the boundary.",
    fix: "stop what writes it there, find out how it came to the plaintext, and remove what it wrote",
  },
  DATA_NOT_STORED: {
    exit: EXIT.policy,
    summary: "A gateway took a marked message, every component is well, and the message is not in the database.",
    fix: "look for its verdict in the collector's log and in the quarantine",
  },
  DATA_STORED_TWICE: {
    exit: EXIT.policy,
    summary: "A marked message is in the database more than once.",
    fix: "look whether the unique index of envelope_seen is there, and which collectors write",
  },
  DATA_STORED_DIFFERENT: {
    exit: EXIT.policy,
    summary: "The row of a marked message is not what its sensor measured.",
    fix: "find out who changes rows: the collector alone may write them",
  },
});
