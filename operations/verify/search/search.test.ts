import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { createZipArchiveSync, deflateSync, gzipSync, ZipEntry, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { leaksOf } from "../../../test/support/canary/leaks.ts";
import { keyCores, textCores } from "../../../test/support/canary/secrets.ts";
import { DEEP } from "./archives.ts";
import { needlesOf } from "./needles.ts";
import type { Place } from "./place.ts";
import { searchFor } from "./search.ts";

const password = randomBytes(24).toString("base64url");
const pem = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();
const canaries = [
  { name: "a password", cores: textCores(password), homes: ["its/file"], givenTo: ["the/guest"] },
  { name: "a key", cores: keyCores(pem), homes: [] },
];
const search = searchFor(needlesOf(canaries), DEEP);
const found = async (content: Place["content"], name = "here") =>
  [...new Set((await search(placesOf({ name, content }))).map(({ canary, place }) => `${canary} at ${place}`))].sort();

async function* placesOf(...places: readonly Place[]): AsyncIterable<Place> {
  yield* places;
}

/** A leak at some offset in what does not matter. */
const amid = (leak: Uint8Array): Buffer =>
  Buffer.concat([randomBytes(1_000 + (leak.length % 7)), leak, randomBytes(999)]);

/** Encoded and encoded again, with something before and behind it. */
const twice = (text: string, first: BufferEncoding, second: BufferEncoding): Buffer =>
  Buffer.from(Buffer.from(amid(Buffer.from(text)).toString(first)).toString(second));

describe("the search for canaries", () => {
  it.each(leaksOf({ text: password }))("finds a password %s", async (_, leak) => {
    expect(await found(amid(leak))).toEqual(["a password at here"]);
  });

  it.each(leaksOf({ pem }))("finds a key %s", async (_, leak) => {
    expect(await found(amid(leak))).toEqual(["a key at here"]);
  });

  it.each([1, 7, 64, 1_024])("finds what lies across two chunks of %i bytes", async (size) => {
    const bytes = amid(Buffer.from(password));
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    expect(await found(chunks())).toEqual(["a password at here"]);
  });

  it("finds what is compressed, in an archive or in a stream", async () => {
    const entry = ZipEntry.createSync("tfplan", Buffer.from(`${"x".repeat(500)}${password}`.repeat(2)));
    expect(await found(Buffer.concat([...createZipArchiveSync([entry])]), "a plan")).toEqual([
      "a password at a plan (tfplan)",
    ]);
    const stream = async function* () {
      yield gzipSync(amid(Buffer.from(password)));
    };
    expect(await found(stream())).toEqual(["a password at here"]);
  });

  it.each([
    ["whole", 0],
    ["without its end", 40],
  ])("finds what is compressed inside of something else, %s", async (_, cut) => {
    const gzip = gzipSync(Buffer.concat([Buffer.from(password), randomBytes(300)]));
    expect(await found(amid(gzip.subarray(0, gzip.length - cut)))).toEqual(["a password at here"]);
  });

  it.each([
    ["gzip", gzipSync],
    [
      "gzip with a name",
      (bytes: Buffer) =>
        execFileSync("sh", ["-c", 'd=$(mktemp -d); cat >"$d/a-name"; gzip -cN "$d/a-name"; rm -r "$d"'], {
          input: bytes,
        }),
    ],
    ["zlib", deflateSync],
    ["zlib at its fastest", (bytes: Buffer) => deflateSync(bytes, { level: 1 })],
    ["zstd", zstdCompressSync],
  ])("finds what is in %s inside of something else, whatever lies behind it", async (_, compress) => {
    expect(await found(amid(compress(amid(Buffer.from(password)))))).toEqual(["a password at here"]);
  });

  it("finds what is compressed far inside of a large stream, and behind very much of it", async () => {
    const [large, far] = [Buffer.alloc(33 * 1024 * 1024, "x"), Buffer.alloc(70 * 1024 * 1024)];
    const chunks = async function* () {
      yield large;
      yield amid(gzipSync(Buffer.concat([far, Buffer.from(password)])));
    };
    expect(await found(chunks())).toEqual(["a password at here"]);
  });

  it.each([
    ["UTF-16", Buffer.from(password, "utf16le")],
    ["UTF-16, big-endian", Buffer.from(password, "utf16le").swap16()],
    ["base64 of base64", twice(password, "base64", "base64")],
    ["base64url of hex", twice(password, "hex", "base64url")],
    ["hex of hex", twice(password, "hex", "hex")],
    ["hex of base64", twice(password, "base64", "hex")],
    ["base64 of gzip", Buffer.from(gzipSync(amid(Buffer.from(password))).toString("base64"))],
    [
      "base64 in lines in JSON",
      Buffer.from(JSON.stringify(twice(`${password}!`, "base64", "base64").toString().replace(/.{64}/g, "$&\n"))),
    ],
    [
      "gzip of gzip of gzip",
      [gzipSync, gzipSync, gzipSync].reduce((bytes, zip) => zip(amid(bytes)), Buffer.from(password)),
    ],
    ["a list of numbers with spaces", Buffer.from(JSON.stringify([...Buffer.from(password)], null, 2))],
    ["\\x escapes", Buffer.from([...Buffer.from(password)].map((byte) => `\\x${byte.toString(16)}`).join(""))],
    ["\\u escapes", Buffer.from([...Buffer.from(password)].map((byte) => `\\u00${byte.toString(16)}`).join(""))],
    ["hex with colons", Buffer.from((Buffer.from(password).toString("hex").match(/../g) ?? []).join(":"))],
    [
      "hex with spaces",
      Buffer.from((Buffer.from(password).toString("hex").toUpperCase().match(/../g) ?? []).join(" ")),
    ],
  ])("finds it in %s", async (_, leak) => {
    expect(await found(amid(leak))).toEqual(["a password at here"]);
  });

  it("tells a file that a canary belongs in from all others", async () => {
    const places = ["its/file", "the/guest", "another"].map((name) => ({ name, content: password }));
    const hits = await search(placesOf(...places));
    const belongs = new Map(hits.map((hit) => [hit.place, hit.belongs]));
    expect([...belongs]).toEqual([
      ["its/file", true],
      ["the/guest", true],
      ["another", false],
    ]);
  });

  it.each([
    ["the public half of a key", createPublicKey(pem).export({ format: "pem", type: "spki" }).toString()],
    ["the last line of a key, which is its public half", pem.split("\n").at(-3) ?? ""],
    ["a password cut short", password.slice(0, -1)],
    ["another password", randomBytes(24).toString("base64url")],
    ["nothing", ""],
  ])("does not find %s", async (_, text) => {
    expect(await found(text)).toEqual([]);
  });

  it("says nothing of the value where it reports", async () => {
    const report = JSON.stringify(await search(placesOf({ name: "here", content: `${password}${pem}` })));
    expect(await found(report)).toEqual([]);
  });

  it("refuses a canary so short that chance would find it", () => {
    expect(() => needlesOf([{ name: "short", cores: textCores("hunter2"), homes: [] }])).toThrow(/too short/);
  });
});
