import { generate } from "coap-packet";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseDatagram, pathOf } from "../../../../services/runtime/coap/message.ts";
import { coapAnswer, coapPost } from "./coap-post.ts";

it("is what the gateway reads as an envelope of a sensor", () => {
  const payload = Buffer.from([0xa1, 0xff, 0x00]);
  const message = parseDatagram(coapPost(payload));
  expect(message).toMatchObject({ code: "0.02", confirmable: true });
  expect(message === null ? "" : pathOf(message)).toBe("/tk/v1");
  expect(message?.payload).toEqual(payload);
});

it("tells a refusal with its word, and of an acceptance the code alone", () => {
  const answer = (code: string, text: string) => coapAnswer(generate({ code, ack: true, payload: Buffer.from(text) }));
  expect(answer("4.00", "BAD_SIGNATURE")).toBe("4.00 BAD_SIGNATURE");
  expect(answer("2.04", "update")).toBe("2.04");
});

it.each([
  ["an empty acknowledgement", "60001234"],
  ["a request", "40021234"],
  ["nothing", ""],
  ["another version", "a0441234"],
])("takes %s for no answer", (_, hex) => {
  expect(coapAnswer(Buffer.from(hex, "hex"))).toBeUndefined();
});

it("takes any bytes without a fault", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const answer = coapAnswer(Buffer.from(bytes));
      expect(answer === undefined || /^[245]\.\d\d/.test(answer)).toBe(true);
    }),
  );
});
