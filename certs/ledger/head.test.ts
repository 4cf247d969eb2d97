import { generateKeyPairSync } from "node:crypto";
import { CompactSign } from "jose";
import { expect, test } from "vitest";
import { readHead, signHead } from "./head.ts";

const SCHEMA = "trustkern.ledger-head/1";
const head = { seq: 3, hash: "0a".repeat(32), at: "2026-11-21T08:00:00.000Z" };
const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const { privateKey, publicKey } = keyPair();

/** A text that the ledger's own key signed. */
function signed(payload: object, header: { readonly typ?: string }): Promise<string> {
  const bytes = Buffer.from(JSON.stringify(payload));
  return new CompactSign(bytes).setProtectedHeader({ alg: "ES256", ...header }).sign(privateKey);
}

test("a head is read as it was signed", async () => {
  expect(await readHead(await signHead(head, privateKey), publicKey)).toEqual(head);
});

test.each([
  ["without a type", { schema: SCHEMA, ...head }, {}],
  ["of another type", { schema: SCHEMA, ...head }, { typ: "trustkern.verdict/1" }],
  ["of no schema", head, { typ: SCHEMA }],
  ["of another schema", { ...head, schema: "trustkern.ledger-head/2" }, { typ: SCHEMA }],
  ["whose number is none", { schema: SCHEMA, ...head, seq: "3" }, { typ: SCHEMA }],
  ["whose number is beyond 2^53 - 1", { schema: SCHEMA, ...head, seq: 2 ** 53 }, { typ: SCHEMA }],
])("what the same key signed %s is no head", async (_, payload, header) => {
  expect(await readHead(await signed(payload, header), publicKey)).toBe(null);
});

test("what another key signed is no head", async () => {
  expect(await readHead(await signHead(head, keyPair().privateKey), publicKey)).toBe(null);
});
