import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { listenTcp } from "./listen.ts";

const opened: (Server | Socket)[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) {
    if ("destroy" in one) one.destroy();
    else one.close();
  }
});

function greeter(): Server {
  const server = createServer((socket) => {
    opened.push(socket);
    socket.on("error", () => undefined).write("hello");
  });
  opened.push(server);
  return server;
}

/** What an address says: its greeting, `closed` without one, or the error's code. */
async function heard(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  opened.push(socket);
  return new Promise((resolve) => {
    socket.once("data", (chunk) => resolve(chunk.toString("utf8")));
    socket.once("close", () => resolve("closed"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? ""));
  });
}

it("listens on every address that is said, with one port, and on no other", async () => {
  const port = await listenTcp(greeter(), { hosts: ["127.0.0.1", "127.0.0.2", "127.0.0.3"], port: 0 });
  for (const host of ["127.0.0.1", "127.0.0.2", "127.0.0.3"]) expect(await heard(host, port)).toBe("hello");
  expect(await heard("127.0.0.4", port)).toBe("ECONNREFUSED");
});

it("closes them all with the server", async () => {
  const server = greeter();
  const port = await listenTcp(server, { hosts: ["127.0.0.1", "127.0.0.2"], port: 0 });
  server.close();
  for (const host of ["127.0.0.1", "127.0.0.2"]) expect(await heard(host, port)).toBe("ECONNREFUSED");
});

it("takes none of them where one is taken, and names that one", async () => {
  const other = createServer().listen(0, "127.0.0.2");
  opened.push(other);
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const refused = listenTcp(greeter(), { hosts: ["127.0.0.1", "127.0.0.2"], port });
  await expect(refused).rejects.toMatchObject({ code: "PORT_IN_USE", message: expect.stringContaining("127.0.0.2") });
  expect(await heard("127.0.0.1", port)).toBe("ECONNREFUSED");
});

it("holds the bound on connections at each address, and tells of what is dropped", async () => {
  const server = greeter();
  server.maxConnections = 1;
  const dropped: (string | undefined)[] = [];
  server.on("drop", (one) => dropped.push(one?.localAddress));
  const port = await listenTcp(server, { hosts: ["127.0.0.1", "127.0.0.2"], port: 0 });
  for (const host of ["127.0.0.1", "127.0.0.2"]) {
    expect(await heard(host, port)).toBe("hello");
    expect(await heard(host, port)).toMatch(/^(closed|ECONNRESET)$/);
  }
  expect(dropped).toEqual(["127.0.0.1", "127.0.0.2"]);
});
