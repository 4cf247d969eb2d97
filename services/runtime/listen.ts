import type { AddressInfo, Server } from "node:net";
import { messageOf } from "../../shared/errors.ts";
import { runtimeErrors } from "./errors.ts";

/**
 * Listens on an address and gives the port that it got.
 * @throws PORT_IN_USE
 */
export async function listenTcp(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  try {
    await listening(server, () => server.listen({ host, port }));
  } catch (cause) {
    throw runtimeErrors.error("PORT_IN_USE", `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      path: "listen",
      cause,
    });
  }
  return (server.address() as AddressInfo).port;
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
