import { afterEach, beforeEach, expect, it } from "vitest";
import { type CoapAnswer, type CoapRequest, type CoapServer, createCoapServer } from "../runtime/coap/server.ts";
import { sendEnvelopes } from "./send-envelopes.ts";

let server: CoapServer;
let port: number;
let answer: CoapAnswer;
let seen: CoapRequest[];

beforeEach(async () => {
  [seen, answer] = [[], { code: "2.04" }];
  server = createCoapServer({
    handle: async (request) => {
      seen.push(request);
      return answer;
    },
    admit: () => true,
    maxBodyBytes: 4096,
    now: Date.now,
    onError: () => undefined,
  });
  ({ port } = await server.listen({ hosts: ["127.0.0.1"], port: 0 }));
});
afterEach(() => server.close());

const send = (bytes: Buffer) => sendEnvelopes([{ host: "127.0.0.1", port, bytes: bytes.toString("hex") }]);

it.each([200, 1500])("posts an envelope of %i bytes as a sensor does, whole", async (length) => {
  const bytes = Buffer.alloc(length, 7);
  expect(await send(bytes)).toEqual([{ code: "2.04", text: "" }]);
  expect(seen.map(({ path, payload }) => [path, Buffer.from(payload).equals(bytes)])).toEqual([["/tk/v1", true]]);
});

it("gives the verdict of a refusal", async () => {
  answer = { code: "4.00", payload: Buffer.from("unknown-sensor"), contentFormat: 0 };
  expect(await send(Buffer.from([1]))).toEqual([{ code: "4.00", text: "unknown-sensor" }]);
});

it("keeps an update to itself, which is no text", async () => {
  answer = { code: "2.04", payload: Buffer.from([0xff, 0xfe]), contentFormat: 60 };
  expect(await send(Buffer.from([1]))).toEqual([{ code: "2.04", text: "" }]);
});

it("says of each which one nobody answers", async () => {
  const bytes = "01";
  const there = { host: "127.0.0.1", port, bytes };
  const taken = await sendEnvelopes([there, { ...there, bytes: "no hex" }]);
  expect(taken).toEqual([{ code: "2.04", text: "" }, { why: expect.stringContaining("0-9a-f") }]);
});
