import type { Io } from "./io.ts";

/** Who runs the command, as ledgers have it: `cli:` and the user's name. */
export function actorOf(io: Pick<Io, "user">): string {
  return `cli:${io.user()}`;
}
