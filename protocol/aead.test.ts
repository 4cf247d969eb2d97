import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { aeadOpen, aeadSeal, TAG_BYTES } from "./aead.ts";

interface AeadCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: "valid" | "invalid";
}

const file = new URL("../test/fixtures/wycheproof/aes_gcm_test.json", import.meta.url);
const wycheproof: { numberOfTests: number; testGroups: { ivSize: number; tests: AeadCase[] }[] } = JSON.parse(
  readFileSync(file, "utf8"),
);
const hex = (text: string) => Buffer.from(text, "hex");

const cases = wycheproof.testGroups.flatMap(({ tests }) => tests);

const open = ({ key, iv, aad, ct, tag }: AeadCase) => aeadOpen(hex(key), hex(iv), hex(aad), hex(ct + tag));
const seal = ({ key, iv, aad, msg }: AeadCase) => aeadSeal(hex(key), hex(iv), hex(aad), hex(msg));

describe("AES-GCM", () => {
  it("runs every case of Wycheproof's file", () => {
    expect(cases).toHaveLength(wycheproof.numberOfTests);
  });

  it.each(cases.filter(({ result }) => result === "valid"))("opens and seals Wycheproof $tcId $comment", (test) => {
    expect(Buffer.from(open(test) ?? "rejected")).toEqual(hex(test.msg));
    expect(Buffer.from(seal(test))).toEqual(hex(test.ct + test.tag));
  });

  it.each(cases.filter(({ flags }) => flags.includes("ModifiedTag")))(
    "gives nothing of Wycheproof $tcId $comment",
    (test) => {
      expect(test.result).toBe("invalid");
      expect(open(test)).toBeNull();
    },
  );

  it.each(cases.filter(({ flags }) => flags.includes("ZeroLengthIv")))(
    "refuses the empty nonce of Wycheproof $tcId",
    (test) => {
      expect(test.result).toBe("invalid");
      expect(() => open(test)).toThrow(expect.objectContaining({ code: "ERR_CRYPTO_INVALID_IV" }));
      expect(() => seal(test)).toThrow(expect.objectContaining({ code: "ERR_CRYPTO_INVALID_IV" }));
    },
  );

  it("leaves no invalid case without one of the two rules above", () => {
    const invalid = cases.filter(({ result }) => result === "invalid");
    expect(invalid.filter(({ flags }) => !flags.includes("ModifiedTag") && !flags.includes("ZeroLengthIv"))).toEqual(
      [],
    );
  });

  it("gives nothing where the tag does not fit a nonce that is longer than OpenSSL takes", () => {
    const [key, nonce, aad] = [Buffer.alloc(16, 1), Buffer.alloc(257, 2), Buffer.of(3)];
    const sealed = aeadSeal(key, nonce, aad, Buffer.alloc(32, 4));
    expect(aeadOpen(key, nonce, aad, sealed)).toEqual(Uint8Array.from(Buffer.alloc(32, 4)));
    expect(aeadOpen(key, nonce, Buffer.of(4), sealed)).toBeNull();
    expect(aeadOpen(key, nonce, aad, sealed.subarray(1))).toBeNull();
  });

  it.each(Array.from({ length: TAG_BYTES }, (_, length) => length))(
    "gives nothing of %i bytes, where no tag fits",
    (length) => {
      expect(aeadOpen(Buffer.alloc(16), Buffer.alloc(12), Buffer.alloc(0), Buffer.alloc(length))).toBeNull();
    },
  );

  it("gives nothing when the tag is cut, even to one that is right so far", () => {
    const [key, nonce, aad] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2), Buffer.of(3)];
    const sealed = aeadSeal(key, nonce, aad, Buffer.alloc(32, 4));
    for (let length = 0; length < sealed.length; length++) {
      expect(aeadOpen(key, nonce, aad, sealed.subarray(0, length))).toBeNull();
    }
  });
});
