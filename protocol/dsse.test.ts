import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dsseSign, dsseVerify } from "./dsse.ts";
import { p256Signer, verifyP256 } from "./signature.ts";

const TYPE = "application/vnd.test+json";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
const payload = Buffer.from('{"hello":"wörld"}');
const signed = await dsseSign(TYPE, payload, p256Signer(privateKey));
const changed = (change: (envelope: Record<string, unknown>) => void) => {
  const envelope = JSON.parse(signed);
  change(envelope);
  return JSON.stringify(envelope);
};

describe("a DSSE envelope", () => {
  it("gives its payload to the holder of the key", () => expect(dsseVerify(signed, TYPE, publicKey)).toEqual(payload));

  it("is signed over the pre-authentication encoding of DSSE v1", () => {
    const { signatures } = JSON.parse(signed);
    const pae = Buffer.from('DSSEv1 25 application/vnd.test+json 18 {"hello":"wörld"}');
    expect(verifyP256(publicKey, pae, Buffer.from(signatures[0].sig, "base64"))).toBe(true);
  });

  it("verifies with the right signature among others, and in base64url", () => {
    const more = changed((envelope) => {
      const [{ sig }] = envelope.signatures as [{ sig: string }];
      envelope.signatures = [{ sig: "AAAA" }, { keyid: "x", sig: Buffer.from(sig, "base64").toString("base64url") }];
    });
    expect(dsseVerify(more, TYPE, publicKey)).toEqual(payload);
  });

  it("is refused with another key", () => {
    expect(() => dsseVerify(signed, TYPE, other.publicKey)).toThrow(
      expect.objectContaining({ code: "DSSE_BAD_SIGNATURE" }),
    );
  });

  it("is refused with another payload", () => {
    const swapped = changed((envelope) => {
      envelope.payload = Buffer.from("{}").toString("base64");
    });
    expect(() => dsseVerify(swapped, TYPE, publicKey)).toThrow(expect.objectContaining({ code: "DSSE_BAD_SIGNATURE" }));
  });

  it("is refused as another type, even where the signer's type is written over", () => {
    const malformed = expect.objectContaining({ code: "DSSE_MALFORMED", path: "payloadType" });
    expect(() => dsseVerify(signed, "application/other", publicKey)).toThrow(malformed);
    const relabelled = changed((envelope) => {
      envelope.payloadType = "application/other";
    });
    expect(() => dsseVerify(relabelled, "application/other", publicKey)).toThrow(
      expect.objectContaining({ code: "DSSE_BAD_SIGNATURE" }),
    );
  });

  it.each([
    "",
    "null",
    "[]",
    "{}",
    changed((envelope) => delete envelope.payload),
    changed((envelope) => Object.assign(envelope, { payload: "****" })),
    changed((envelope) => Object.assign(envelope, { payload: 1 })),
    changed((envelope) => delete envelope.signatures),
    changed((envelope) => Object.assign(envelope, { signatures: [] })),
    changed((envelope) => Object.assign(envelope, { signatures: [null] })),
    changed((envelope) => Object.assign(envelope, { signatures: [{ sig: null }] })),
    changed((envelope) => Object.assign(envelope, { signatures: Array(9).fill({ sig: "AAAA" }) })),
  ])("is malformed as %s", (json) => {
    expect(() => dsseVerify(json, TYPE, publicKey)).toThrow(expect.objectContaining({ code: "DSSE_MALFORMED" }));
  });
});
