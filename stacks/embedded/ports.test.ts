import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { choosePorts } from "./ports.ts";

const host = "127.0.0.1";
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function takenTcp(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  closers.push(() => server.close());
  return (server.address() as { port: number }).port;
}

async function takenUdp(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  closers.push(() => socket.close());
  return socket.address().port;
}

describe("choosePorts", () => {
  it("gives every wish a port of its own", async () => {
    const wishes = Array.from({ length: 20 }, (_, i) => ({ id: `c${i}.p`, protocol: "tcp", wanted: 0 }) as const);
    expect(new Set(Object.values(await choosePorts(wishes, host))).size).toBe(20);
  });

  it("takes the port of the earlier run again", async () => {
    const first = await choosePorts([{ id: "a.p", protocol: "tcp", wanted: 0 }], host);
    expect(await choosePorts([{ id: "a.p", protocol: "tcp", wanted: 0, earlier: first["a.p"] }], host)).toEqual(first);
  });

  it("takes another one when the earlier is somebody else's now", async () => {
    const earlier = await takenTcp();
    const { "a.p": port } = await choosePorts([{ id: "a.p", protocol: "tcp", wanted: 0, earlier }], host);
    expect(port).not.toBe(earlier);
  });

  it.each([
    ["tcp", takenTcp],
    ["udp", takenUdp],
  ] as const)("refuses a %s port that was asked for and is taken, and names it", async (protocol, take) => {
    const wanted = await take();
    await expect(choosePorts([{ id: "broker.mqtts", protocol, wanted }], host)).rejects.toMatchObject({
      code: "PORT_IN_USE",
      path: "broker.mqtts",
      message: expect.stringContaining(String(wanted)),
    });
  });
});
