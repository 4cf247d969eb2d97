import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bytesOfHex } from "../../../protocol/hex.ts";
import { importP256Point, verifyP256 } from "../../../protocol/signature.ts";
import type { SecurityEventInput } from "../../runtime/security-events.ts";
import { readNetworkKey, readSigningKey } from "./keys.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-keys-"));
const silent = { emit: () => {} };
const invalid = expect.objectContaining({ code: "BACKEND_KEY_INVALID", exit: 2 });

function file(content: string): string {
  const path = join(folder, "key");
  writeFileSync(path, content);
  return path;
}
const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }) as string;

it("signs so that its public point verifies, and reports each use", async () => {
  const seen: SecurityEventInput[] = [];
  const path = file(pem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey));
  const key = readSigningKey(path, { emit: (event) => seen.push(event) });
  const data = Buffer.from("data");
  const signature = await key.signerFor("allowlist", "collector")(data);
  expect(verifyP256(importP256Point(bytesOfHex(key.publicKey)), data, signature)).toBe(true);
  expect(seen).toEqual([{ kind: "KEY_USED", object: "collector", reason: "allowlist" }]);
});

it.each([
  ["another curve", pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey)],
  ["another algorithm", pem(generateKeyPairSync("ed25519").privateKey)],
  ["no PEM", "secret-text"],
])("refuses a signing key of %s, and does not show it", (_, content) => {
  const read = (): unknown => readSigningKey(file(content), silent);
  expect(read).toThrow(invalid);
  expect(read).not.toThrow(content);
});

it("refuses a key file that is not there", () => {
  const missing = expect.objectContaining({ code: "SERVICE_FILE_UNREADABLE" });
  expect(() => readSigningKey(join(folder, "none"), silent)).toThrow(missing);
  expect(() => readNetworkKey(join(folder, "none"))).toThrow(missing);
});

it("takes a network key of 16 bytes in hex, and nothing else", () => {
  expect(readNetworkKey(file(`${"0a".repeat(16)}\n`))).toBe("0a".repeat(16));
  for (const content of ["", "0a".repeat(15), "0A".repeat(16), "zz".repeat(16)])
    expect(() => readNetworkKey(file(content))).toThrow(invalid);
});
