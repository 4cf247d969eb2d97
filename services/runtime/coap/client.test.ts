import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { generate, type Packet, type ParsedPacket, parse } from "coap-packet";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CoapClient, createCoapClient } from "./client.ts";
import type { Endpoint } from "./message.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);
const TIMING = { ackTimeoutMs: 40, maxRetransmit: 1 };
let gateway: Socket;
let endpoint: Endpoint;
let client: CoapClient;
let strangers: Socket[];

beforeEach(async () => {
  strangers = [];
  gateway = createSocket("udp4");
  gateway.bind(0, "127.0.0.1");
  await once(gateway, "listening");
  endpoint = gateway.address();
  client = createCoapClient(endpoint, TIMING);
});
afterEach(() => {
  client.close();
  for (const socket of [gateway, ...strangers]) socket.close();
});

async function stranger(address: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  strangers.push(socket);
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

/** Answers every request with those packets, each from its socket. */
function answerWith(...answers: ((request: ParsedPacket) => { readonly packet: Packet; readonly from?: Socket })[]) {
  gateway.on("message", (datagram, { port, address }) => {
    for (const make of answers) {
      const { packet, from = gateway } = make(parse(datagram));
      from.send(generate(packet), port, address);
    }
  });
}
const ask = () => client.request({ method: "GET", path: "/" });
const answerTo = ({ messageId, token }: ParsedPacket): Packet => ({ ack: true, code: "2.04", messageId, token });

it("takes the answer with its message id and its token", async () => {
  answerWith((request) => ({ packet: { ...answerTo(request), payload: Buffer.from("mine") } }));
  expect(await ask()).toEqual({ code: "2.04", payload: Buffer.from("mine") });
});

it("takes the answer of a server that it was given by name", async () => {
  const byName = createCoapClient({ address: "localhost", port: endpoint.port }, TIMING);
  answerWith((request) => ({ packet: answerTo(request) }));
  expect((await byName.request({ method: "GET", path: "/" })).code).toBe("2.04");
  byName.close();
});

it.runIf(hasIpv6)("takes the answer of a server whose IPv6 address it was given in a long spelling", async () => {
  const server = createSocket("udp6");
  strangers.push(server);
  server.bind(0, "::1");
  await once(server, "listening");
  server.on("message", (datagram, { port, address }) =>
    server.send(generate(answerTo(parse(datagram))), port, address),
  );
  const long = createCoapClient({ address: "0:0:0:0:0:0:0:1", port: server.address().port }, TIMING);
  expect((await long.request({ method: "GET", path: "/" })).code).toBe("2.04");
  long.close();
});

it.each<[string, (request: ParsedPacket) => Packet]>([
  ["with another message id", (request) => ({ ...answerTo(request), messageId: (request.messageId + 1) % 0x10000 })],
  ["with another token", (request) => ({ ...answerTo(request), token: Buffer.alloc(request.token.length) })],
  ["with the beginning of its token", (request) => ({ ...answerTo(request), token: request.token.subarray(0, -1) })],
  ["without a token", (request) => ({ ...answerTo(request), token: Buffer.alloc(0) })],
  ["that is no acknowledgement", (request) => ({ ...answerTo(request), ack: false })],
  ["that is a reset of another message", ({ messageId }) => ({ reset: true, code: "0.00", messageId: messageId ^ 1 })],
])("does not take an answer %s", async (_, packet) => {
  answerWith((request) => ({ packet: packet(request) }));
  await expect(ask()).rejects.toMatchObject({ code: "COAP_NO_ANSWER" });
});

it("does not take an answer from another port", async () => {
  const from = await stranger("127.0.0.1", 0);
  answerWith((request) => ({ packet: answerTo(request), from }));
  await expect(ask()).rejects.toMatchObject({ code: "COAP_NO_ANSWER" });
});

it.runIf(process.platform === "linux")("does not take an answer from another address", async () => {
  const from = await stranger("127.0.0.2", endpoint.port);
  answerWith((request) => ({ packet: answerTo(request), from }));
  await expect(ask()).rejects.toMatchObject({ code: "COAP_NO_ANSWER" });
});

it("waits for its own answer behind those that are none", async () => {
  answerWith(
    (request) => ({ packet: { ...answerTo(request), code: "4.00", token: Buffer.from("none") } }),
    (request) => ({ packet: { ...answerTo(request), code: "4.00", messageId: request.messageId ^ 1 } }),
    (request) => ({ packet: answerTo(request) }),
  );
  expect((await ask()).code).toBe("2.04");
});

it("ends at a reset of its message, which carries no token", async () => {
  answerWith(({ messageId }) => ({ packet: { reset: true, code: "0.00", messageId } }));
  await expect(ask()).rejects.toMatchObject({ code: "COAP_RESET" });
});
