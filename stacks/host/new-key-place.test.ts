import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Deployment } from "../../model/deployment.ts";
import { keyPlaceFile, renderKeyPlace } from "./authority-key.ts";
import type { KeyCeremony } from "./key-ceremony.ts";
import { newIssuingPlace, newRootPlace } from "./new-key-place.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-place-"));
const dir = join(folder, "state/authorities");
const words = join(folder, "words");
const kms = {
  kind: "aws-kms",
  region: "eu-central-1",
  keys: { services: "s", gateways: "g", operators: "o" },
} as const;

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  writeFileSync(words, `${"0123456789abcdef".repeat(4)}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const held = (name: string, place: Parameters<typeof renderKeyPlace>[0]): void =>
  writeFileSync(keyPlaceFile(dir, name), renderKeyPlace(place));
const ceremony = (pki: Partial<Deployment["pki"]>, file?: string): KeyCeremony => ({
  pki: { root: { kind: "age" }, issuing: { kind: "file" }, ...pki },
  rootFile: file === undefined ? undefined : { file, passphraseFile: words },
  ...{ conductor: "Ada", witnesses: [], versions: {} },
});

describe("the next key of a class in AWS KMS", () => {
  test("is the one that pki.issuing names now", async () => {
    held("gateways", { kind: "aws-kms", region: "eu-central-1", keyId: "before" });
    expect(await newIssuingPlace(dir, "gateways", ceremony({ issuing: kms }))).toEqual({
      ...{ kind: "aws-kms", region: "eu-central-1", keyId: "g" },
    });
  });

  test("is none while pki.issuing names the key in use, and the error says which", async () => {
    held("gateways", { kind: "aws-kms", region: "eu-central-1", keyId: "g" });
    await expect(newIssuingPlace(dir, "gateways", ceremony({ issuing: kms }))).rejects.toMatchObject({
      code: "KEY_PLACE_TAKEN",
      message: expect.stringContaining('pki.issuing.keys.gateways is "g"'),
    });
  });

  test("is none for a maker: pki.issuing.keys names classes alone", async () => {
    await expect(newIssuingPlace(dir, "makers/north", ceremony({ issuing: kms }))).rejects.toMatchObject({
      code: "KEY_PLACE_TAKEN",
      message: expect.stringContaining("maker-north"),
    });
  });
});

describe("the next key in a file", () => {
  test("stays in the folder where the key before is, and nowhere else", async () => {
    expect(await newIssuingPlace(dir, "gateways", ceremony({}))).toBe("here");
    expect(await newRootPlace(dir, ceremony({}))).toBe("here");
    held("gateways", { kind: "tpm2", device: "/dev/tpmrm0", file: "/keys/gateways.tss2.pem" });
    await expect(newIssuingPlace(dir, "gateways", ceremony({}))).rejects.toMatchObject({ code: "CEREMONY_NEEDED" });
  });

  test("may leave the folder for a medium, as a root that no ceremony made should", async () => {
    const file = join(folder, "root.age");
    expect(await newRootPlace(dir, ceremony({}, file))).toEqual({ kind: "age", file, passphraseFile: words });
  });

  test.each([
    ["the folder", "state/authorities/root.age"],
    ["the state directory", "state/root.age"],
    ["the state directory by way of a link", "link/root.age"],
    ["a folder of the state directory that is not there yet", "link/new/root.age"],
  ])("is not made in %s", async (_, file) => {
    symlinkSync(join(folder, "state"), join(folder, "link"));
    await expect(newRootPlace(dir, ceremony({}, join(folder, file)))).rejects.toMatchObject({
      code: "ROOT_KEY_ONLINE",
    });
  });
});
