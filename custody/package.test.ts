import { generateKeyPairSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hpkeDecapsulate, hpkeSeal, importX25519Private, keyIdOf, prepareInfo } from "../protocol/hpke.ts";
import { stableJson } from "../shared/stable-json.ts";
import { openGenerationPackage, publicKeyOf, sealGenerationPackage } from "./package.ts";

const newPrivate = () => generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" });
const IMPORT = newPrivate();
const PRIVATE = newPrivate();
const AT = "2026-01-01T00:00:00.000Z";
const idOf = (publicKey: Uint8Array) => keyIdOf(publicKey).toString("hex");
const METADATA = { tenant: "acme", createdAt: AT };
const TEXT = sealGenerationPackage({
  importKey: publicKeyOf(IMPORT).toString("hex"),
  privateKey: PRIVATE,
  metadata: METADATA,
});

function recipient(privateKey: Uint8Array, tenant = "acme") {
  const key = importX25519Private(privateKey);
  return {
    tenant,
    importKeyId: idOf(publicKeyOf(privateKey)),
    decapsulate: async (enc: Uint8Array) => {
      try {
        return hpkeDecapsulate(key, enc);
      } catch {
        return null;
      }
    },
  };
}

const open = (text: string | Uint8Array, to = recipient(IMPORT)) => openGenerationPackage(Buffer.from(text), to);
const changed = (members: object) => `${stableJson({ ...JSON.parse(TEXT), ...members }, 2)}\n`;

describe("a generation package", () => {
  it("gives the private key, under its key id, to the import key that it was sealed to", async () => {
    const publicKey = publicKeyOf(PRIVATE);
    expect(await open(TEXT)).toEqual({
      keyId: idOf(publicKey),
      publicKey: publicKey.toString("hex"),
      createdAt: AT,
      privateKey: PRIVATE,
    });
  });

  it("shows no private key", () => {
    for (const form of ["hex", "base64", "base64url"] as const) expect(TEXT).not.toContain(PRIVATE.toString(form));
  });

  it("is refused by another tenant, and by another custody of the same tenant", async () => {
    await expect(open(TEXT, recipient(IMPORT, "other"))).rejects.toMatchObject({ code: "CUSTODY_PACKAGE_FOREIGN" });
    await expect(open(TEXT, recipient(newPrivate()))).rejects.toMatchObject({ code: "CUSTODY_PACKAGE_FOREIGN" });
  });

  it.each([
    ["tenant", { tenant: "other" }, "other"],
    ["createdAt", { createdAt: "2026-01-02T00:00:00.000Z" }, "acme"],
    ["keyId", { keyId: "0".repeat(16) }, "acme"],
    ["publicKey", { publicKey: "0".repeat(64) }, "acme"],
    ["enc", { enc: publicKeyOf(newPrivate()).toString("hex") }, "acme"],
    ["enc of low order", { enc: "0".repeat(64) }, "acme"],
  ])("is refused with another %s, well-formed as it is", async (_, members, tenant) => {
    await expect(open(changed(members), recipient(IMPORT, tenant))).rejects.toMatchObject({
      code: "CUSTODY_PACKAGE_CORRUPT",
    });
  });

  it("is refused when it was renamed to the import key of who opens it", async () => {
    const thief = newPrivate();
    const renamed = changed({ importKeyId: idOf(publicKeyOf(thief)) });
    await expect(open(renamed, recipient(thief))).rejects.toMatchObject({ code: "CUSTODY_PACKAGE_CORRUPT" });
  });

  it("is refused when whoever made it sealed another private key than the one that it names", async () => {
    const { enc: _, ciphertext: __, ...metadata } = JSON.parse(TEXT);
    const info = prepareInfo(Buffer.from("trustkern/generation-package/v1"));
    const forged = hpkeSeal(publicKeyOf(IMPORT), info, Buffer.from(stableJson(metadata)), newPrivate());
    const members = { enc: forged.enc, ciphertext: forged.ciphertext };
    const hex = Object.fromEntries(
      Object.entries(members).map(([name, value]) => [name, Buffer.from(value).toString("hex")]),
    );
    await expect(open(changed(hex))).rejects.toMatchObject({ code: "CUSTODY_PACKAGE_CORRUPT" });
  });

  it("is refused with any byte changed, cut off, or added", async () => {
    const bytes = Buffer.from(TEXT);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ mask;
        for (const bad of [flipped, bytes.subarray(0, at), Buffer.concat([bytes, Buffer.of(mask)])])
          await expect(open(bad)).rejects.toMatchObject({ code: expect.stringMatching(/^CUSTODY_PACKAGE_/) });
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "secret-canary"],
    ["another schema", changed({ schema: "trustkern.generation-package/2" })],
    ["another suite", changed({ suite: "ML-KEM" })],
    ["a member more", changed({ extra: 1 })],
    ["the same, on one line", JSON.stringify(JSON.parse(TEXT))],
    ["a megabyte", randomBytes(1 << 20)],
  ])("is no package: %s", async (_, text) => {
    const error = await open(text).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CUSTODY_PACKAGE_MALFORMED" });
    expect(String(error)).not.toContain("secret-canary");
  });

  it("is not even read when it is longer than any", async () => {
    await expect(open(" ".repeat(4097))).rejects.toThrow(/4097 bytes/);
  });

  it("passes on what the store throws, and gives no verdict", async () => {
    const broken = { ...recipient(IMPORT), decapsulate: () => Promise.reject(new Error("token pulled out")) };
    await expect(open(TEXT, broken)).rejects.toThrow("token pulled out");
  });

  it.each([0, 31, 33])("is not made of a private key of %i bytes, nor for such an import key", (length) => {
    const importKey = publicKeyOf(IMPORT).toString("hex");
    const short = Buffer.alloc(length, 1);
    expect(() => sealGenerationPackage({ importKey, privateKey: short, metadata: METADATA })).toThrow(
      expect.objectContaining({ code: "PROTOCOL_BAD_KEY" }),
    );
    expect(() =>
      sealGenerationPackage({ importKey: short.toString("hex"), privateKey: PRIVATE, metadata: METADATA }),
    ).toThrow(expect.objectContaining({ code: "PROTOCOL_BAD_KEY" }));
  });
});
