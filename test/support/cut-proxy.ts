import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A way to a server that can be cut from one moment to the next. */
export class CutProxy {
  readonly address: string;
  readonly #server: Server;
  readonly #open: Set<Socket>;

  private constructor(server: Server, open: Set<Socket>) {
    [this.#server, this.#open] = [server, open];
    this.address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start({ hostname, port }: URL): Promise<CutProxy> {
    const open = new Set<Socket>();
    const server = createServer((client) => {
      const target = connect(Number(port || 443), hostname);
      for (const socket of [client, target]) {
        open.add(socket);
        socket.on("close", () => open.delete(socket));
        socket.on("error", () => undefined);
      }
      client.pipe(target).pipe(client);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CutProxy(server, open);
  }

  /** Nothing goes through any more, and nobody is let in. */
  cut(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}
