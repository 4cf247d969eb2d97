import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { messageOf } from "../../shared/errors.ts";
import { embeddedErrors } from "./errors.ts";

/** A port that the deployment needs on the loopback address. */
export interface PortWish {
  /** `<component>.<port name>`. */
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  /** A number that was asked for, or 0 for any free one. */
  readonly wanted: number;
  /** The free port that an earlier run took, tried first so that addresses stay the same. */
  readonly earlier?: number | undefined;
}

/**
 * A port for every wish, each seen to be free on `host`.
 * @throws PORT_IN_USE when one that was asked for by number is taken
 */
export async function choosePorts(wishes: readonly PortWish[], host: string): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  const taken = new Set<number>();
  for (const wish of wishes) {
    if (wish.wanted !== 0) {
      await tryPort(wish.protocol, host, wish.wanted).catch((thrown: unknown) => {
        throw embeddedErrors.error(
          "PORT_IN_USE",
          `${wish.id} asks for ${wish.protocol} port ${wish.wanted} on ${host}: ${messageOf(thrown)}`,
          {
            path: wish.id,
            cause: thrown,
          },
        );
      });
    }
    const port = wish.wanted !== 0 ? wish.wanted : await freePort(wish, host, taken);
    taken.add(port);
    chosen[wish.id] = port;
  }
  return chosen;
}

async function freePort(wish: PortWish, host: string, taken: ReadonlySet<number>): Promise<number> {
  if (wish.earlier !== undefined && !taken.has(wish.earlier)) {
    const again = await tryPort(wish.protocol, host, wish.earlier).catch(() => undefined);
    if (again !== undefined) return again;
  }
  for (;;) {
    const port = await tryPort(wish.protocol, host, 0);
    if (!taken.has(port)) return port;
  }
}

/** Binds and lets go; the port that it got. */
function tryPort(protocol: "tcp" | "udp", host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    if (protocol === "udp") {
      const socket = createSocket("udp4");
      socket.once("error", reject);
      socket.bind({ port, address: host, exclusive: true }, () => {
        const got = socket.address().port;
        socket.close(() => resolve(got));
      });
      return;
    }
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}
