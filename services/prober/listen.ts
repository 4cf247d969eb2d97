import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { ProbeAnswer } from "../../shared/prober.ts";

type Heard = ProbeAnswer["heard"][number];

/** Ports that are listened on. */
export interface Ears {
  /** Who came so far. */
  readonly heard: readonly Heard[];
  readonly close: () => void;
}

/** Listens on a port of TCP and of UDP at every IPv4 address, and answers whatever comes by UDP. */
export async function listenOn(ports: readonly number[]): Promise<Ears> {
  const heard: Heard[] = [];
  const open: { close: () => unknown }[] = [];
  for (const port of ports) {
    const server = createServer((socket) => {
      heard.push({ protocol: "tcp", port, from: socket.remoteAddress ?? "" });
      socket.on("error", () => undefined);
      socket.destroy();
    });
    const datagrams = createSocket("udp4", (message, { address, port: sender }) => {
      heard.push({ protocol: "udp", port, from: address });
      datagrams.send(message, sender, address);
    });
    open.push(server, datagrams);
    server.listen(port, "0.0.0.0");
    datagrams.bind(port, "0.0.0.0");
    await Promise.all([once(server, "listening"), once(datagrams, "listening")]);
  }
  return { heard, close: () => open.forEach((each) => void each.close()) };
}
