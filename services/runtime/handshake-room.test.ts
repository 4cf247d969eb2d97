import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import { connect, createServer, type Server } from "node:tls";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { DeploymentCertificates } from "../../certs/deployment.ts";
import { limitHandshakes } from "./handshake-room.ts";
import { listening } from "./listen.ts";
import { TEST_SERVER, testPki, textsOf } from "./test-pki.ts";
import { mutualTls, optionsOf } from "./tls.ts";

const [near, far] = ["127.0.0.1", "127.0.0.2"];
let pki: DeploymentCertificates;
let server: Server;
let displaced: (string | null)[];
let sockets: Socket[];

beforeAll(async () => {
  pki = await testPki();
});
beforeEach(async () => {
  [displaced, sockets] = [[], []];
  server = createServer({ ...optionsOf(textsOf(pki, "svc-backend")), ...mutualTls });
  limitHandshakes(server, { perAddress: 3, total: 5 }, (address) => displaced.push(address));
  server.on("tlsClientError", () => undefined);
  await listening(server, () => server.listen(0, "0.0.0.0"));
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const where = (from: string) => ({ host: near, port: (server.address() as AddressInfo).port, localAddress: from });
const silent = async (from = near): Promise<Socket> => {
  const socket = connectTcp(where(from)).on("error", () => undefined);
  sockets.push(socket);
  await Promise.all([once(socket, "connect"), once(server, "connection")]);
  return socket;
};
const speaking = async (from = near): Promise<Socket> => {
  const tls = optionsOf(textsOf(pki, "gw-01"));
  const socket = connect({ ...tls, ...where(from), servername: TEST_SERVER });
  sockets.push(socket);
  await Promise.all([once(socket, "secureConnect"), once(server, "secureConnection")]);
  return socket;
};
const gone = async (socket: Socket): Promise<unknown> => socket.closed || once(socket.resume(), "close");

it("lets who speaks in beside any number of silent ones from the same address", async () => {
  for (let i = 0; i < 20; i += 1) await silent();
  const socket = await speaking();
  expect(displaced).toHaveLength(18);
  expect(socket.destroyed).toBe(false);
});

it("displaces the one that has been silent for longest, and no other", async () => {
  const first = await silent();
  const others = [await silent(), await silent(), await silent()];
  await gone(first);
  expect(displaced).toEqual([near]);
  expect(others.some(({ closed }) => closed)).toBe(false);
});

it("takes the place from the address that has most when all are taken", async () => {
  const only = await silent(far);
  for (let i = 0; i < 3; i += 1) await silent(near);
  await silent("127.0.0.3");
  await silent("127.0.0.4");
  expect(displaced).toEqual([near]);
  expect(only.closed).toBe(false);
});

it("never displaces who has finished the handshake", async () => {
  const sessions = [await speaking(), await speaking(), await speaking(), await speaking()];
  for (let i = 0; i < 8; i += 1) await silent();
  expect(sessions.some(({ destroyed }) => destroyed)).toBe(false);
  expect(displaced).toHaveLength(5);
});

it("counts nobody who has gone", async () => {
  for (let i = 0; i < 9; i += 1) {
    const [accepted] = (await Promise.all([once(server, "connection"), silent()]))[0] as [Socket];
    sockets.pop()?.destroy();
    await gone(accepted);
  }
  expect(displaced).toEqual([]);
});
