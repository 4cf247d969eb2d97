import { createCipheriv, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dhkemSharedSecret,
  hpkeDecapsulate,
  hpkeKeySchedule,
  hpkeSeal,
  importX25519Private,
  importX25519Public,
  keyIdOf,
  openWithSharedSecret,
  prepareInfo,
} from "./hpke.ts";

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../test/fixtures/${name}`, import.meta.url), "utf8"));
const hex = (text: string) => Buffer.from(text, "hex");
const rawPublic = (privateKey: KeyObject) => createPublicKey(privateKey).export({ format: "raw-public" });
/** A copy whose memory is its own, as Web Crypto wants it. */
const own = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer;

interface Rfc9180Vector {
  readonly info: string;
  readonly skEm: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
  readonly key: string;
  readonly base_nonce: string;
  readonly encryptions: readonly {
    readonly aad: string;
    readonly ct: string;
    readonly nonce: string;
    readonly pt: string;
  }[];
}

describe.each(fixture("rfc9180-mode0-x25519-sha256-aes128gcm.json") as Rfc9180Vector[])(
  "RFC 9180, info $info",
  (vector) => {
    const info = prepareInfo(hex(vector.info));
    const [first, ...later] = vector.encryptions;

    it("decapsulates to the shared secret", () => {
      const secret = hpkeDecapsulate(importX25519Private(hex(vector.skRm)), hex(vector.enc));
      expect(Buffer.from(secret).toString("hex")).toBe(vector.shared_secret);
    });

    it("makes the shared secret of a Diffie-Hellman output, which binds both public keys", () => {
      const [ephemeral, publicKey] = [importX25519Private(hex(vector.skEm)), importX25519Public(hex(vector.pkRm))];
      const dh = diffieHellman({ privateKey: ephemeral, publicKey });
      const [enc, recipient] = [hex(vector.enc), hex(vector.pkRm)];
      const secret = (...args: Parameters<typeof dhkemSharedSecret>) =>
        Buffer.from(dhkemSharedSecret(...args)!).toString("hex");
      expect(secret(dh, enc, recipient)).toBe(vector.shared_secret);
      expect(secret(dh, recipient, recipient)).not.toBe(vector.shared_secret);
      expect(secret(dh, enc, enc)).not.toBe(vector.shared_secret);
      expect(secret(enc, enc, recipient)).not.toBe(vector.shared_secret);
    });

    it("derives the public key of the recipient", () => {
      expect(rawPublic(importX25519Private(hex(vector.skRm))).toString("hex")).toBe(vector.pkRm);
    });

    it("schedules key and nonce", () => {
      const { key, nonce } = hpkeKeySchedule(hex(vector.shared_secret), info);
      expect(Buffer.from(key).toString("hex")).toBe(vector.key);
      expect(Buffer.from(nonce).toString("hex")).toBe(vector.base_nonce);
    });

    it("opens the first message", () => {
      const opened = openWithSharedSecret(hex(vector.shared_secret), info, hex(first!.aad), hex(first!.ct));
      expect(Buffer.from(opened!).toString("hex")).toBe(first!.pt);
    });

    it("opens no later message of the context, since ours are single shot", () => {
      for (const { aad, ct } of later)
        expect(openWithSharedSecret(hex(vector.shared_secret), info, hex(aad), hex(ct))).toBeNull();
    });

    it("has the key under which every message of the vector was sealed", () => {
      const { key } = hpkeKeySchedule(hex(vector.shared_secret), info);
      for (const { aad, ct, nonce, pt } of vector.encryptions) {
        const cipher = createCipheriv("aes-128-gcm", key, hex(nonce));
        cipher.setAAD(hex(aad));
        const sealed = Buffer.concat([cipher.update(hex(pt)), cipher.final(), cipher.getAuthTag()]);
        expect(sealed.toString("hex")).toBe(ct);
      }
    });
  },
);

interface XdhCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly public: string;
  readonly private: string;
  readonly shared: string;
  readonly result: "valid" | "invalid" | "acceptable";
}

describe("X25519 in DHKEM", () => {
  const file: { numberOfTests: number; testGroups: { tests: XdhCase[] }[] } = fixture("wycheproof/x25519_test.json");
  const cases = file.testGroups.flatMap(({ tests }) => tests);
  const zero = cases.filter(({ flags }) => flags.includes("ZeroSharedSecret"));
  const usable = cases.filter(({ flags }) => !flags.includes("ZeroSharedSecret"));

  it("runs every case of Wycheproof's file, none of which is invalid", () => {
    expect(cases).toHaveLength(file.numberOfTests);
    expect(cases.filter(({ result }) => result === "invalid")).toEqual([]);
    expect(zero.filter(({ result }) => result === "valid")).toEqual([]);
  });

  it.each(usable)("agrees on Wycheproof $tcId $result $comment", (test) => {
    const privateKey = importX25519Private(hex(test.private));
    const secret = hpkeDecapsulate(privateKey, hex(test.public));
    expect(dhkemSharedSecret(hex(test.shared), hex(test.public), rawPublic(privateKey))).toEqual(secret);
  });

  it.each(zero)("rejects Wycheproof $tcId $comment, whose shared secret is zero (RFC 9180, 7.1.4)", (test) => {
    expect(() => hpkeDecapsulate(importX25519Private(hex(test.private)), hex(test.public))).toThrow(
      expect.objectContaining({ code: "HPKE_DECAPSULATION_FAILED" }),
    );
    expect(dhkemSharedSecret(hex(test.shared), hex(test.public), Buffer.alloc(32, 9))).toBeNull();
  });

  it.each([0, 31, 33, 64])("rejects an encapsulated key of %i bytes", (length) => {
    const { privateKey } = generateKeyPairSync("x25519");
    expect(() => hpkeDecapsulate(privateKey, Buffer.alloc(length, 9))).toThrow(
      expect.objectContaining({ code: "HPKE_DECAPSULATION_FAILED" }),
    );
  });
});

describe("HPKE beside @hpke/core", () => {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
  const message = fc.record({ info: bytes(64), aad: bytes(64), plaintext: bytes(512) });

  it("opens what @hpke/core sealed", async () => {
    await fc.assert(
      fc.asyncProperty(message, async ({ info, aad, plaintext }) => {
        const { privateKey } = generateKeyPairSync("x25519");
        const recipientPublicKey = await suite.kem.deserializePublicKey(own(rawPublic(privateKey)));
        const sealed = await suite.seal({ recipientPublicKey, info: own(info) }, own(plaintext), own(aad));
        const secret = hpkeDecapsulate(privateKey, new Uint8Array(sealed.enc));
        const opened = openWithSharedSecret(secret, prepareInfo(info), aad, new Uint8Array(sealed.ct));
        expect(Uint8Array.from(opened!)).toEqual(plaintext);
      }),
      { numRuns: 40 },
    );
  });

  it("seals what @hpke/core opens", async () => {
    await fc.assert(
      fc.asyncProperty(message, async ({ info, aad, plaintext }) => {
        const { privateKey } = generateKeyPairSync("x25519");
        const { enc, ciphertext } = hpkeSeal(rawPublic(privateKey), prepareInfo(info), aad, plaintext);
        const raw = privateKey.export({ format: "raw-private" });
        const recipientKey = await suite.kem.deserializePrivateKey(own(raw));
        const opened = await suite.open({ recipientKey, info: own(info), enc: own(enc) }, own(ciphertext), own(aad));
        expect(new Uint8Array(opened)).toEqual(plaintext);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a sealed message", () => {
  const { privateKey } = generateKeyPairSync("x25519");
  const info = prepareInfo(Buffer.from("info"));
  const aad = Buffer.from("aad");
  const { enc, ciphertext } = hpkeSeal(rawPublic(privateKey), info, aad, Buffer.from("21.4 degrees"));
  const secret = hpkeDecapsulate(privateKey, enc);

  it("opens", () =>
    expect(Buffer.from(openWithSharedSecret(secret, info, aad, ciphertext)!).toString()).toBe("21.4 degrees"));

  it("gives nothing with another info, aad or secret", () => {
    expect(openWithSharedSecret(secret, prepareInfo(Buffer.from("other")), aad, ciphertext)).toBeNull();
    expect(openWithSharedSecret(secret, info, Buffer.from("aae"), ciphertext)).toBeNull();
    expect(openWithSharedSecret(Buffer.alloc(32, 1), info, aad, ciphertext)).toBeNull();
  });

  it("gives nothing once any of its bits is turned", () => {
    fc.assert(
      fc.property(fc.nat(ciphertext.length * 8 - 1), (bit) => {
        const turned = Uint8Array.from(ciphertext);
        turned[bit >> 3]! ^= 1 << (bit & 7);
        expect(openWithSharedSecret(secret, info, aad, turned)).toBeNull();
      }),
    );
  });

  it("has a new encapsulated key each time", () => {
    expect(hpkeSeal(rawPublic(privateKey), info, aad, Buffer.alloc(1)).enc).not.toEqual(enc);
  });
});

describe("an X25519 key", () => {
  it.each([0, 31, 33])("of %i bytes is refused", (length) => {
    expect(() => importX25519Private(Buffer.alloc(length))).toThrow(
      expect.objectContaining({ code: "PROTOCOL_BAD_KEY" }),
    );
    expect(() => importX25519Public(Buffer.alloc(length))).toThrow(
      expect.objectContaining({ code: "PROTOCOL_BAD_KEY" }),
    );
  });

  it.each([
    ["0", Buffer.alloc(32)],
    ["1", Buffer.concat([Buffer.of(1), Buffer.alloc(31)])],
  ])("of low order (%s) is refused as a recipient", (_, key) => {
    expect(() => hpkeSeal(key, prepareInfo(Buffer.alloc(0)), Buffer.alloc(0), Buffer.alloc(1))).toThrow(
      expect.objectContaining({ code: "PROTOCOL_BAD_KEY" }),
    );
  });

  it("has the id that the vectors give it", () => {
    const { recipient } = fixture("envelope-v1.json");
    expect(keyIdOf(hex(recipient.public_key)).toString("hex")).toBe(recipient.key_id);
  });
});
