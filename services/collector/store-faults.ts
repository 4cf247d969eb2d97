/** SQLSTATE of a key that is there already (PostgreSQL manual, appendix A). */
const UNIQUE_VIOLATION = "23505";

/** Serialization failure and deadlock: another collector was faster, and the same batch may be tried again. */
const COLLISIONS: ReadonlySet<string> = new Set(["40001", "40P01"]);

/** Classes of what is wrong with a row itself: data exception, constraint violation, program limit exceeded. */
const ROW_CLASSES: ReadonlySet<string> = new Set(["22", "23", "54"]);

/**
 * What a refused batch means. Only `row` says anything about a message; a `fault` (a full disk, a shutdown, a cancelled query, no
 * connection) is never a reason to put one into quarantine.
 */
export type Refusal = "repeat" | "collision" | "row" | "fault";

/** Reads an SQLSTATE of five characters; the empty string for an error that has none. */
export function refusalOf(sqlState: string): Refusal {
  if (sqlState === UNIQUE_VIOLATION) return "repeat";
  if (COLLISIONS.has(sqlState)) return "collision";
  return ROW_CLASSES.has(sqlState.slice(0, 2)) ? "row" : "fault";
}
