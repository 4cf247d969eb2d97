import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";

/**
 * Remembers where each connection of a server comes from, for those whose handshake fails: their sockets are closed by then, and
 * have forgotten. The function gives an address, or null where it is not known.
 */
export function sourceAddresses(server: Server): (socket: TLSSocket) => string | null {
  const addresses = new WeakMap<Socket, string | null>();
  server.on("connection", (socket: Socket) => addresses.set(socket, socket.remoteAddress ?? null));
  return (socket) => addresses.get(carrierOf(socket)) ?? socket.remoteAddress ?? null;
}

/** The TCP socket below a TLS socket, which Node has no public name for. */
function carrierOf(socket: TLSSocket): Socket {
  return Reflect.get(socket, "_parent") ?? socket;
}
