import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";
import { raise, readMemory, writeMemory } from "./memory.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-memory-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const list = (keyId: string, number: bigint): TrustedCrl => ({
  keyId,
  number,
  issuer: "TrustKern gateways",
  nextUpdate: new Date(0),
  serials: new Set(),
  pem: "",
});

test("keeps what it is told, numbers beyond 2^53 included", () => {
  const memory = { seq: 7, least: new Map([["k", 2n ** 80n + 1n]]) };
  writeMemory(folder, memory);
  expect(readMemory(folder)).toEqual(memory);
});

test.each([
  "",
  "{",
  "[]",
  '{"seq":-1,"least":{}}',
  '{"seq":1,"least":{"k":"-2"}}',
  '{"seq":1,"least":{"k":2}}',
  '{"seq":1}',
])("takes %j as no memory", (text) => {
  writeFileSync(join(folder, "trust.json"), text);
  expect(readMemory(folder)).toEqual({ seq: 0, least: new Map() });
});

test("has nothing before anything was kept", () => {
  expect(readMemory(folder)).toEqual({ seq: 0, least: new Map() });
});

test("raises the floor of an issuer, and never lowers it", () => {
  const least = raise(new Map([["a", 5n]]), [list("a", 4n), list("b", 0n)]);
  expect(least).toEqual(
    new Map([
      ["a", 5n],
      ["b", 0n],
    ]),
  );
  expect(raise(least, [list("a", 6n), list("b", 9n)]).get("a")).toBe(6n);
});
