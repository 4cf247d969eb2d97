import { createHash } from "node:crypto";
import { LEAF_CLASSES } from "../../certs/names.ts";
import { longestLifetime } from "../../certs/validity.ts";
import { CONNECTED, GONE, STARTING } from "./log-lines.ts";

/** Share of its time that a session may lose, so that those which began together do not end together. */
const SPREAD = 0.1;

/** Surroundings of {@link createSessionAges}. */
export interface SessionAgesOptions {
  /** The oldest that any session gets, in seconds. */
  readonly mostSeconds: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** Who has been connected for too long. */
export interface SessionAges {
  /** Hears a line of Mosquitto's log. */
  readonly hear: (line: string) => void;
  /** Users whose sessions are too old by now, each once. */
  readonly take: () => readonly string[];
}

/**
 * Bounds the age of sessions. Mosquitto looks at a certificate during the handshake alone, so a session outlives the end of its
 * certificate, and nobody tells the guard which certificate that was. What is ended in time has to show a valid one again.
 */
export function createSessionAges({ mostSeconds, now }: SessionAgesOptions): SessionAges {
  /** When the oldest session of each user is too old. */
  const ends = new Map<string, number>();
  /** Users who have had sessions under ids of their own choice: of these nobody says when the last one is gone. */
  const several = new Set<string>();

  function connected(user: string, id: string): void {
    if (id !== user) several.add(user);
    const end = now() + mostMsOf(user, mostSeconds);
    ends.set(user, several.has(user) ? Math.min(ends.get(user) ?? end, end) : end);
  }

  function gone(user: string): void {
    if (!several.has(user)) ends.delete(user);
  }

  return {
    hear: (line) => {
      const [, , id, user] = CONNECTED.exec(line) ?? [];
      if (id !== undefined && user !== undefined) connected(user, id);
      else if (STARTING.test(line)) {
        ends.clear();
        several.clear();
      } else gone(GONE.exec(line)?.[1] ?? "");
    },
    take: () => {
      const at = now();
      const users = [...ends].flatMap(([user, end]) => (end <= at ? [user] : []));
      for (const user of users) ends.delete(user);
      return users;
    },
  };
}

/** How old a user's session may become, in milliseconds: never more than a certificate of its class lives. */
function mostMsOf(user: string, mostSeconds: number): number {
  const known = LEAF_CLASSES.filter((leafClass) => user.includes(`,OU=${leafClass},`));
  const lifetimes = (known.length === 1 ? known : LEAF_CLASSES).map(longestLifetime);
  const share = createHash("sha256").update(user).digest().readUInt32BE() / 2 ** 32;
  return Math.min(mostSeconds, ...lifetimes) * 1000 * (1 - SPREAD * share);
}
