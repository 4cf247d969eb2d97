import type { Socket } from "node:net";

/** What is used of a connection. */
type Visitor = Pick<Socket, "destroy" | "once">;

/** Connections whose login is not finished. They take no place of a client that is let in. */
export interface LoginRoom {
  /** Takes a new connection in. When the room is full, the one that has waited longest has to go, so that a new one always gets its try. */
  readonly enter: (socket: Visitor) => void;
  /** The login of this connection is finished. */
  readonly leave: (socket: Visitor) => void;
}

/** A room for `max` connections, each for at most `limitMs` milliseconds, whatever it sends meanwhile. */
export function createLoginRoom(max: number, limitMs: number): LoginRoom {
  const timers = new Map<Visitor, NodeJS.Timeout>();
  const leave = (socket: Visitor): void => {
    clearTimeout(timers.get(socket));
    timers.delete(socket);
  };
  return {
    enter: (socket) => {
      const [oldest] = timers.keys();
      if (oldest && timers.size >= max) {
        leave(oldest);
        oldest.destroy();
      }
      const timer = setTimeout(() => socket.destroy(), limitMs);
      timers.set(socket, timer);
      socket.once("close", () => leave(socket));
    },
    leave,
  };
}
