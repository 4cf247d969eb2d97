import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { request as otherClient } from "coap";
import { generate, type Packet, type ParsedPacket, parse } from "coap-packet";
import { afterEach, beforeEach, expect, it } from "vitest";
import { renderBlock } from "./block.ts";
import { type CoapClient, createCoapClient } from "./client.ts";
import type { Endpoint } from "./message.ts";
import { type CoapRequest, type CoapServer, createCoapServer } from "./server.ts";

let server: CoapServer;
let endpoint: Endpoint;
let radio: Socket;
let client: CoapClient;
let seen: CoapRequest[];
let admitted: boolean;
let answerDelayMs: number;

beforeEach(async () => {
  [seen, admitted, answerDelayMs] = [[], true, 0];
  server = createCoapServer({
    handle: async (request) => {
      seen.push(request);
      if (answerDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, answerDelayMs));
      if (request.path === "/fail") throw new Error("broken");
      return { code: "2.04", payload: Buffer.from(String(request.payload.length)), contentFormat: 0 };
    },
    admit: () => admitted,
    maxBodyBytes: 4096,
    now: Date.now,
    onError: () => undefined,
  });
  endpoint = await server.listen({ hosts: ["127.0.0.1"], port: 0 });
  radio = createSocket("udp4");
  client = createCoapClient(endpoint, { ackTimeoutMs: 40, maxRetransmit: 2 });
});

afterEach(async () => {
  radio.close();
  client.close();
  await server.close();
});

const send = (datagram: Buffer) => radio.send(datagram, endpoint.port, endpoint.address);
const post = (packet: Packet) => generate({ confirmable: true, code: "POST", ...packet }, 3000);
async function answer(): Promise<ParsedPacket> {
  const [datagram] = (await once(radio, "message", { signal: AbortSignal.timeout(2000) })) as [Buffer];
  return parse(datagram);
}
const silence = () => expect(once(radio, "message", { signal: AbortSignal.timeout(120) })).rejects.toThrow();
const block = (number: number, more: boolean) => [
  { name: "Block1" as const, value: renderBlock({ number, more, exponent: 6 }) },
];

it("answers a request of our client, in one datagram or in blocks", async () => {
  for (const bytes of [0, 1024, 1025, 4096]) {
    const payload = Buffer.alloc(bytes, 1);
    const { code, payload: length } = await client.request({ method: "POST", path: "/tk/v1", payload });
    expect([code, length.toString()]).toEqual(["2.04", String(bytes)]);
  }
  expect(seen.at(-1)).toMatchObject({ method: "0.02", path: "/tk/v1", payload: Buffer.alloc(4096, 1) });
});

it("answers another implementation's client that sends blocks", async () => {
  const request = otherClient({ hostname: "127.0.0.1", port: endpoint.port, pathname: "/tk/v1", method: "POST" });
  request.setOption("Block1", Buffer.from([6]));
  request.end(Buffer.alloc(3000, 7));
  const [response] = (await once(request, "response")) as [{ code: string; payload: Buffer }];
  expect([response.code, response.payload.toString()]).toEqual(["2.04", "3000"]);
  expect(seen[0]?.payload).toEqual(Buffer.alloc(3000, 7));
});

it("handles a datagram once that is repeated while its answer is worked on", async () => {
  answerDelayMs = 60;
  const datagram = post({ messageId: 7, token: Buffer.from([1]), payload: Buffer.from("x") });
  send(datagram);
  send(datagram);
  expect(await answer()).toMatchObject({ code: "2.04", messageId: 7, ack: true, token: Buffer.from([1]) });
  await silence();
  expect(seen).toHaveLength(1);
});

it("gives the same answer again to a datagram whose answer was lost, without handling it again", async () => {
  const datagram = post({ messageId: 8, payload: Buffer.from("x") });
  send(datagram);
  const first = await answer();
  send(datagram);
  expect(await answer()).toEqual(first);
  expect(seen).toHaveLength(1);
});

it("takes another datagram with the same message id for another request", async () => {
  const [first, second] = [Buffer.from("aaaa"), Buffer.from("bbbb")];
  send(post({ messageId: 7, token: first, payload: Buffer.from("x") }));
  expect(await answer()).toMatchObject({ messageId: 7, token: first, payload: Buffer.from("1") });
  send(post({ messageId: 7, token: second, payload: Buffer.from("xy") }));
  expect(await answer()).toMatchObject({ messageId: 7, token: second, payload: Buffer.from("2") });
  send(post({ messageId: 7, token: second, payload: Buffer.from("xyz") }));
  expect(await answer()).toMatchObject({ messageId: 7, token: second, payload: Buffer.from("3") });
  expect(seen.map(({ payload }) => payload.toString())).toEqual(["x", "xy", "xyz"]);
});

it("takes the same datagram of another endpoint for another request", async () => {
  const datagram = post({ messageId: 7, payload: Buffer.from("x") });
  send(datagram);
  await answer();
  const other = createSocket("udp4");
  other.send(datagram, endpoint.port, endpoint.address);
  await once(other, "message", { signal: AbortSignal.timeout(2000) });
  other.close();
  expect(seen).toHaveLength(2);
});

it("puts the body together that a board sends after a restart with the message ids of an unfinished one", async () => {
  const blocks = (fill: number) =>
    [0, 1, 2].map((number) =>
      post({ messageId: number, options: block(number, number < 2), payload: Buffer.alloc(1024, fill) }),
    );
  const [before, after] = [blocks(1), blocks(2)];
  for (const datagram of [...before.slice(0, 2), ...after]) {
    send(datagram);
    await answer();
  }
  expect(seen.map(({ payload }) => payload)).toEqual([Buffer.alloc(3072, 2)]);
});

it("puts two bodies together that come at once under different request tags", async () => {
  const tagged = (tag: number, number: number) => {
    const options = [...block(number, number === 0), { name: "292", value: Buffer.from([tag]) }];
    return post({ messageId: 10 * tag + number, options, payload: Buffer.alloc(1024, tag) });
  };
  for (const datagram of [tagged(1, 0), tagged(2, 0), tagged(1, 1), tagged(2, 1)]) {
    send(datagram);
    await answer();
  }
  expect(seen.map(({ payload }) => payload)).toEqual([Buffer.alloc(2048, 1), Buffer.alloc(2048, 2)]);
});

it("gives a body up for the next one of the same endpoint, and answers 4.08 to what is left of it", async () => {
  const of = (fill: number, number: number) =>
    post({ messageId: 10 * fill + number, options: block(number, number === 0), payload: Buffer.alloc(1024, fill) });
  const codes: string[] = [];
  for (const datagram of [of(1, 0), of(2, 0), of(2, 1), of(1, 1)]) {
    send(datagram);
    codes.push((await answer()).code);
  }
  expect(codes).toEqual(["2.31", "2.31", "2.04", "4.08"]);
  expect(seen.map(({ payload }) => payload)).toEqual([Buffer.alloc(2048, 2)]);
});

it("puts blocks together that carry no token", async () => {
  send(post({ messageId: 1, options: block(0, true), payload: Buffer.alloc(1024) }));
  expect((await answer()).code).toBe("2.31");
  send(post({ messageId: 2, options: block(1, false), payload: Buffer.alloc(10) }));
  expect((await answer()).payload.toString()).toBe("1034");
});

it("answers 4.08 when a block is missing", async () => {
  send(post({ messageId: 1, options: block(0, true), payload: Buffer.alloc(1024) }));
  await answer();
  send(post({ messageId: 2, options: block(2, false), payload: Buffer.alloc(10) }));
  expect((await answer()).code).toBe("4.08");
  expect(seen).toHaveLength(0);
});

it("ends a body that outgrows the bound at once, however many blocks would follow", async () => {
  for (let number = 0; number < 5; number++) {
    send(post({ messageId: number, options: block(number, true), payload: Buffer.alloc(1024) }));
    expect((await answer()).code).toBe(number < 4 ? "2.31" : "2.04");
  }
  expect(seen.map(({ payload }) => payload.length)).toEqual([5120]);
});

it("answers 4.00 to the reserved block size and 4.02 to a critical option that it does not know", async () => {
  send(post({ messageId: 1, options: [{ name: "Block1", value: Buffer.from([7]) }] }));
  expect((await answer()).code).toBe("4.00");
  send(post({ messageId: 2, options: [{ name: "Proxy-Uri", value: Buffer.from("coap://x") }] }));
  expect((await answer()).code).toBe("4.02");
  send(post({ messageId: 3, options: [{ name: "65001", value: Buffer.from("x") }] }));
  expect((await answer()).code).toBe("4.02");
  expect(seen).toHaveLength(0);
});

it("answers 5.00 when the handler fails, and lives on", async () => {
  expect((await client.request({ method: "POST", path: "/fail" })).code).toBe("5.00");
  expect((await client.request({ method: "POST", path: "/tk/v1" })).code).toBe("2.04");
});

it("answers an empty confirmable message with a reset (CoAP ping)", async () => {
  send(generate({ confirmable: true, code: "0.00", messageId: 99 }));
  expect(await answer()).toMatchObject({ reset: true, messageId: 99 });
});

it.each([
  ["no CoAP", Buffer.from([0, 1, 2, 3])],
  ["an empty datagram", Buffer.alloc(0)],
  ["a token of more than 8 bytes", post({ messageId: 1, token: Buffer.alloc(9) })],
  ["an acknowledgement", generate({ ack: true, code: "2.04", messageId: 1 })],
  ["a truncated header", Buffer.from([0x40, 0x02])],
])("stays silent at %s", async (_, datagram) => {
  send(datagram);
  await silence();
  expect(seen).toHaveLength(0);
});

it("drops what is not admitted before it costs any work", async () => {
  admitted = false;
  send(post({ messageId: 1 }));
  await silence();
});

it("says that nobody answered after the repeats of the standard, all with the same message id", async () => {
  const ids = new Set<number>();
  let datagrams = 0;
  const deaf = createSocket("udp4").on("message", (datagram) => {
    ids.add(parse(datagram).messageId);
    datagrams += 1;
  });
  deaf.bind(0, "127.0.0.1");
  await once(deaf, "listening");
  const caller = createCoapClient(deaf.address(), { ackTimeoutMs: 10, maxRetransmit: 2 });
  await expect(caller.request({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "COAP_NO_ANSWER" });
  expect([ids.size, datagrams]).toEqual([1, 3]);
  caller.close();
  deaf.close();
});

it("listens on every address that is said, with one port, and answers from the one that was asked", async () => {
  await server.close();
  endpoint = await server.listen({ hosts: ["127.0.0.1", "127.0.0.2"], port: 0 });
  for (const [index, host] of ["127.0.0.1", "127.0.0.2"].entries()) {
    radio.send(post({ messageId: index }), endpoint.port, host);
    const [, from] = await once(radio, "message", { signal: AbortSignal.timeout(2000) });
    expect(from).toMatchObject({ address: host, port: endpoint.port });
  }
  expect(seen).toHaveLength(2);
  radio.send(post({ messageId: 8 }), endpoint.port, "127.0.0.3");
  await silence();
});

it("refuses a port that is in use with one clear error", async () => {
  await expect(
    createCoapServer({
      handle: async () => ({ code: "2.04" }),
      admit: () => true,
      maxBodyBytes: 1,
      now: Date.now,
      onError: () => undefined,
    }).listen({ hosts: ["127.0.0.1"], port: endpoint.port }),
  ).rejects.toMatchObject({ code: "COAP_PORT" });
});
