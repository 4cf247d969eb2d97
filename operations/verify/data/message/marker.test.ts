import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { parsePayload } from "../../../../protocol/payload.ts";
import { needlesOf } from "../../search/needles.ts";
import { makeMarker } from "./marker.ts";

const many = Array.from({ length: 300 }, () => makeMarker("gw-01", randomBytes));

it("is a payload that the collector takes", () => {
  for (const { plaintext } of many) expect(parsePayload(Buffer.from(plaintext))).toMatchObject({ ok: true });
});

it("keeps each number's digits through JSON, so that they are found as they were measured", () => {
  for (const { canary, plaintext } of many) {
    for (const { what, bytes } of canary.cores) if (what === "number") expect(plaintext).toContain(bytes.toString());
  }
});

it("has nothing in common with another one", () => {
  const cores = many.flatMap(({ canary }) => canary.cores.map(({ bytes }) => bytes.toString("hex")));
  expect(new Set(cores).size).toBe(cores.length);
});

it("can be looked for in every encoding", () => {
  const [marker] = many;
  const forms = needlesOf([marker!.canary]).map(({ form }) => form);
  expect(forms).toEqual(expect.arrayContaining(["text", "text in base64", "number", "number in hex", "decoded text"]));
});
