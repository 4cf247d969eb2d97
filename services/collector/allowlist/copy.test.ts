import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createAllowlist } from "../../../protocol/allowlist.ts";
import type { Audience } from "../../../protocol/allowlist-document.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import { openAllowlistCopy } from "./copy.ts";

const folder = mkdtempSync(join(tmpdir(), "allowlist-"));
afterAll(() => rmSync(folder, { recursive: true }));

const backend = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
let files = 0;
const newFile = () => join(folder, `${files++}.json`);
const signed = (version: number, audience: Audience = "collector", key = backend) =>
  createAllowlist({ audience, version, issuedAtMs: 0, sensors: [], revoked: [] }, p256Signer(key));
const open = (file: string, unwritten: unknown[] = []) =>
  openAllowlistCopy({ file, backendKey: createPublicKey(backend), onUnwritten: (thrown) => unwritten.push(thrown) });

describe("the allowlist copy", () => {
  it("is empty at first, and outlives the process", async () => {
    const file = newFile();
    const copy = open(file);
    expect([copy.version(), copy.dsse()]).toEqual([0, null]);
    expect(copy.take(await signed(3))).toBe(true);
    expect(open(file).version()).toBe(3);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("does not change when the same bytes come again", async () => {
    const copy = open(newFile());
    const dsse = await signed(1);
    expect([copy.take(dsse), copy.take(dsse)]).toEqual([true, false]);
  });

  it.each([
    ["a lower version", () => signed(4), "ALLOWLIST_ROLLBACK"],
    ["a gateway's list", () => signed(9, "gateway/gw-01"), "ALLOWLIST_AUDIENCE"],
    ["a list that another key signed", () => signed(9, "collector", stranger), "DSSE_BAD_SIGNATURE"],
    ["no list at all", async () => "{}", "DSSE_MALFORMED"],
  ])("refuses %s, and keeps the one it has", async (_, other, code) => {
    const file = newFile();
    const copy = open(file);
    copy.take(await signed(5));
    const offered = await other();
    expect(() => copy.take(offered)).toThrow(expect.objectContaining({ code }));
    expect(copy.version()).toBe(5);
    expect(open(file).version()).toBe(5);
  });

  it("remembers the version over a restart, so that a rollback is refused then too", async () => {
    const file = newFile();
    open(file).take(await signed(5));
    const older = await signed(4);
    expect(() => open(file).take(older)).toThrow(expect.objectContaining({ code: "ALLOWLIST_ROLLBACK" }));
  });

  it.each(["", "{", "changed"])("does not start from a corrupt copy (%j)", async (text) => {
    const file = newFile();
    open(file).take(await signed(5));
    writeFileSync(file, text === "changed" ? readFileSync(file, "utf8").replace("payload", "payloaD") : text);
    expect(() => open(file)).toThrow(expect.objectContaining({ code: "COLLECTOR_ALLOWLIST_CORRUPT", path: file }));
  });

  it("holds a list that the disk refuses, says so, and writes it at the next fetch", async () => {
    const missing = join(folder, "gone");
    const unwritten: unknown[] = [];
    const copy = open(join(missing, "copy.json"), unwritten);
    const dsse = await signed(2);
    copy.take(dsse);
    copy.take(dsse);
    expect([copy.version(), unwritten.length]).toEqual([2, 2]);
  });
});
