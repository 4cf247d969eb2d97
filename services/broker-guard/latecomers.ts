import { CONNECTED, OPENED, RELOADED } from "./log-lines.ts";

/** Connections that are remembered before their CONNECT; who is forgotten counts as late. */
const MAX_WAITING = 10_000;

/** Who connected with a handshake from before the last reload. */
export interface Latecomers {
  /** Hears a line of Mosquitto's log. */
  readonly hear: (line: string) => void;
  /** Users that came late since the last time this was asked. */
  readonly take: () => readonly string[];
}

/**
 * Finds clients that showed their certificate before a reload and sent CONNECT after it. Mosquitto looks at a certificate during
 * the handshake alone, so one that was revoked in between gets a session that was not there when sessions were ended. The lines
 * of its log come in the order in which it does things.
 */
export function createLatecomers(): Latecomers {
  /** Addresses whose handshake began after the last reload. */
  const fresh = new Set<string>();
  const late = new Set<string>();
  let reloaded = false;
  return {
    hear: (line) => {
      const [, opened] = OPENED.exec(line) ?? [];
      const [, from, , user] = CONNECTED.exec(line) ?? [];
      if (opened !== undefined) remember(fresh, opened);
      else if (from !== undefined && user !== undefined) {
        if (!fresh.delete(from) && reloaded) late.add(user);
      } else if (RELOADED.test(line)) {
        fresh.clear();
        reloaded = true;
      }
    },
    take: () => {
      const users = [...late];
      late.clear();
      return users;
    },
  };
}

function remember(fresh: Set<string>, address: string): void {
  fresh.delete(address);
  fresh.add(address);
  for (const oldest of fresh) {
    if (fresh.size <= MAX_WAITING) return;
    fresh.delete(oldest);
  }
}
