import type { TLSSocket } from "node:tls";
import type { Denial } from "./access.ts";

/** What the broker knows of one connection beside what the library keeps. */
export interface Session {
  /** Common name of the client's certificate. */
  readonly name: string;
  readonly isGateway: boolean;
  readonly address: string | null;
  readonly socket: TLSSocket;
  /** Filters that it has subscribed to. */
  readonly filters: Set<string>;
  /** Why its CONNECT must be refused; set before the library can answer it. */
  refused: Denial | null;
}

/** Open connections of each identity, at most so many. */
export interface Slots {
  /** False when the identity has all of its own. */
  readonly take: (name: string) => boolean;
  readonly release: (name: string) => void;
}

/** Counts connections by identity. */
export function createSlots(perIdentity: number): Slots {
  const open = new Map<string, number>();
  return {
    take: (name) => {
      const now = open.get(name) ?? 0;
      if (now >= perIdentity) return false;
      open.set(name, now + 1);
      return true;
    },
    release: (name) => {
      const left = (open.get(name) ?? 0) - 1;
      if (left > 0) open.set(name, left);
      else open.delete(name);
    },
  };
}
