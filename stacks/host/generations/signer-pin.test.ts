import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pinnedSigner, pinSigner } from "./signer-pin.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-pin-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const spki = (): Buffer =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
const file = (): string => join(folder, "custody", "signer.pem");

describe("the pinned key of custody's signer", () => {
  it("is the first one that is seen, and the same one may be seen again", () => {
    const first = spki();
    pinSigner(folder, first);
    expect(pinSigner(folder, first).export({ type: "spki", format: "der" })).toEqual(first);
    expect(pinnedSigner(folder).export({ type: "spki", format: "der" })).toEqual(first);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("is not changed by another one, which is refused", () => {
    pinSigner(folder, spki());
    const before = readFileSync(file(), "utf8");
    expect(() => pinSigner(folder, spki())).toThrow(expect.objectContaining({ code: "KEYS_SIGNER_CHANGED", exit: 5 }));
    expect(readFileSync(file(), "utf8")).toBe(before);
  });

  it("is unknown where nothing was pinned, and where the file is no key", () => {
    expect(() => pinnedSigner(folder)).toThrow(expect.objectContaining({ code: "KEYS_SIGNER_UNKNOWN" }));
    pinSigner(folder, spki());
    writeFileSync(file(), "no key");
    expect(() => pinnedSigner(folder)).toThrow(expect.objectContaining({ code: "KEYS_SIGNER_UNKNOWN" }));
    expect(() => pinSigner(folder, spki())).toThrow(expect.objectContaining({ code: "KEYS_SIGNER_UNKNOWN" }));
  });
});
