import { type AddressInfo, createServer, type DropArgument, type Server } from "node:net";
import { messageOf } from "../../shared/errors.ts";
import type { ListenConfig } from "./config.ts";
import { runtimeErrors } from "./errors.ts";

/**
 * Listens on every address and gives the port that they got. A Node server has one listening socket: those of further
 * addresses hand their connections to it, have its bound on connections each for themselves, and close with it.
 * @throws PORT_IN_USE
 */
export async function listenTcp(server: Server, { hosts: [first, ...others], port }: ListenConfig): Promise<number> {
  await listenOn(server, first, port);
  const shared = (server.address() as AddressInfo).port;
  const doors = others.map(() => doorTo(server));
  closeTogether(server, doors);
  try {
    for (const [index, host] of others.entries()) await listenOn(doors[index] as Server, host, shared);
  } catch (thrown) {
    server.close();
    throw thrown;
  }
  return shared;
}

/** Resolves once `start` made the server listen; rejects with its error. */
export function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    start();
  });
}

async function listenOn(server: Server, host: string, port: number): Promise<void> {
  try {
    await listening(server, () => server.listen({ host, port }));
  } catch (cause) {
    throw runtimeErrors.error("PORT_IN_USE", `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      path: "listen",
      cause,
    });
  }
}

function doorTo(server: Server): Server {
  const door = createServer((socket) => server.emit("connection", socket));
  if (server.maxConnections) door.maxConnections = server.maxConnections;
  return door.on("drop", (dropped?: DropArgument) => server.emit("drop", dropped));
}

function closeTogether(server: Server, doors: readonly Server[]): void {
  const close = server.close.bind(server);
  server.close = (done) => {
    for (const door of doors) door.close();
    return close(done);
  };
}
