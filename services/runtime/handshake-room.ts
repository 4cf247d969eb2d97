import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";

/** How many connections may be in their TLS handshake at once. */
export interface HandshakeLimits {
  /** From one address. */
  readonly perAddress: number;
  /** From all addresses together. */
  readonly total: number;
}

/**
 * Bounds the connections of a server that have proven nothing yet. Where there is no room, a newcomer takes the place of the
 * one that has been at its handshake for longest: from its own address, or from the address that has most of them. A handshake
 * takes milliseconds and silence lasts, so who keeps silent is displaced and who speaks gets in, also from one address that
 * honest and other clients share.
 * @param onDisplaced hears of each connection that gave way
 */
export function limitHandshakes(
  server: Server,
  { perAddress, total }: HandshakeLimits,
  onDisplaced: (address: string | null) => void,
): void {
  // In the order of their arrival.
  const waiting = new Map<string, Socket>();
  const displace = (from: string): void => {
    const [key, socket] = [...waiting].find(([each]) => addressOf(each) === from) ?? [];
    if (key === undefined) return;
    waiting.delete(key);
    socket?.destroy();
    onDisplaced(from);
  };
  server.on("connection", (socket: Socket) => {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined) return;
    const counts = countsOf(waiting.keys());
    if ((counts.get(remoteAddress) ?? 0) >= perAddress) displace(remoteAddress);
    else if (waiting.size >= total) displace(mostOf(counts));
    const key = keyOf(remoteAddress, remotePort);
    waiting.set(key, socket);
    socket.once("close", () => {
      if (waiting.get(key) === socket) waiting.delete(key);
    });
  });
  server.on("secureConnection", ({ remoteAddress = "", remotePort }: TLSSocket) => {
    waiting.delete(keyOf(remoteAddress, remotePort));
  });
}

function keyOf(address: string, port: number | undefined): string {
  return `${port} ${address}`;
}

function addressOf(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}

function countsOf(keys: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(addressOf(key), (counts.get(addressOf(key)) ?? 0) + 1);
  return counts;
}

/** The address that has most; the one that came first where more have as many. */
function mostOf(counts: ReadonlyMap<string, number>): string {
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0] ?? "";
}
