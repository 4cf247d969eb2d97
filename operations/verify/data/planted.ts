import { randomBytes } from "node:crypto";
import { createZipArchiveSync, deflateSync, gzipSync, ZipEntry, zstdCompressSync } from "node:zlib";
import type { Canary } from "../search/needles.ts";
import type { Place } from "../search/place.ts";
import { makeMarker } from "./message/marker.ts";

/** A canary of the search's own, which it has to find wherever it looks: a marked message that is never sent. */
export interface Planted {
  readonly canary: Canary;
  readonly token: string;
  readonly value: number;
}

/** A fresh one. */
export function makePlanted(): Planted {
  const { canary, payload } = makeMarker("none", randomBytes);
  const { verification, verification_number } = payload;
  return { canary: { ...canary, name: "planted" }, token: String(verification), value: Number(verification_number) };
}

/** Every form that is looked for, and every way to hide it that is opened, by the words that say which. */
export async function* plantedPlaces({ token, value }: Planted): AsyncIterable<Place> {
  const line = Buffer.from(`{"at":"${token}"}\n`);
  const [base64, hex] = [line.toString("base64"), line.toString("hex")];
  const pairs = hex.match(/../g) ?? [];
  const zipped = ZipEntry.createSync("entry", line);
  const ways: Readonly<Record<string, Place["content"]>> = {
    "a line": line.toString("utf8"),
    base64,
    base64url: line.toString("base64url"),
    hex,
    "upper-case hex": hex.toUpperCase(),
    "hex with spaces": pairs.join(" "),
    "hex with colons": pairs.join(":"),
    "hex with hyphens": pairs.join("-"),
    "hex with 0x": pairs.map((pair) => `0x${pair}`).join(", "),
    "\\x escapes": pairs.map((pair) => `\\x${pair}`).join(""),
    "\\u escapes": pairs.map((pair) => `\\u00${pair}`).join(""),
    "% escapes": pairs.map((pair) => `%${pair}`).join(""),
    "UTF-16": Buffer.from(line.toString("utf8"), "utf16le"),
    "a list of numbers": JSON.stringify([...line]),
    "a list of numbers with spaces": JSON.stringify([...line], null, 1),
    "base64 in lines": base64.replace(/.{20}/g, "$&\n"),
    "base64 of base64": Buffer.from(base64).toString("base64"),
    "base64 of hex": Buffer.from(hex).toString("base64"),
    "base64 of gzip": gzipSync(line).toString("base64"),
    "hex of hex": Buffer.from(hex).toString("hex"),
    "hex of base64": Buffer.from(base64).toString("hex"),
    "a rounded number": `x ${value.toFixed(1)}`,
    "a number without decimals": `x ${value.toFixed(0)}`,
    "a number of six digits": `x ${value.toPrecision(6)}`,
    "a number of ten digits": `x ${value.toPrecision(10)}`,
    "a number with an exponent": `x ${value.toExponential()}`,
    "a float64, little-endian": float64(value).reverse(),
    "a float64, big-endian": float64(value),
    gzip: Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), gzipSync(line), Buffer.alloc(8)]),
    "gzip of gzip": gzipSync(Buffer.concat([randomBytes(8), gzipSync(line)])),
    "gzip of base64": gzipSync(base64.repeat(2)),
    zlib: Buffer.concat([Buffer.alloc(8), deflateSync(line), Buffer.alloc(8)]),
    zstd: Buffer.concat([Buffer.alloc(8), zstdCompressSync(line), Buffer.alloc(8)]),
    zip: Buffer.concat([...createZipArchiveSync([zipped])]),
    "a stream": streamed([line.subarray(0, 20), line.subarray(20)]),
  };
  for (const [name, content] of Object.entries(ways)) yield { name, content };
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

async function* streamed<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values;
}
