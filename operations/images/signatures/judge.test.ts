import { describe, expect, it } from "vitest";
import { judgeSignature } from "./judge.ts";
import { digestOf, testSigner } from "./test-signer.ts";

const digest = digestOf("the image");
const image = { repository: "trustkern/backend", digest };
const vendor = testSigner();
const reference = "registry.example/hub/trustkern/backend";
const good = vendor.sign(reference, digest);

describe("judgeSignature", () => {
  it("accepts what the key signed", () => {
    expect(judgeSignature(good, image, vendor.key)).toBeUndefined();
  });

  it("accepts a signature that was copied to a mirror with its image, and one with a tag or a digest in its name", () => {
    for (const name of [
      "trustkern/backend",
      "localhost:5000/trustkern/backend",
      `${reference}:0.1.0`,
      `${reference}@${digest}`,
    ])
      expect(judgeSignature(vendor.sign(name, digest), image, vendor.key), name).toBeUndefined();
  });

  it.each([
    ["another image of the same signer", "registry.example/hub/trustkern/gateway"],
    ["an image whose name only ends alike", "registry.example/nottrustkern/backend"],
    ["a part of the name", "registry.example/backend"],
    ["a name that goes on", `${reference}/old`],
    ["a tag that looks like the name", "registry.example/other:5000/trustkern/backend-x"],
    ["no name", ""],
  ])("refuses a signature for %s", (_, name) => {
    expect(judgeSignature(vendor.sign(name, digest), image, vendor.key)).toMatch(/and not for|no document/);
  });

  it("refuses another key, another digest, and changed bytes", () => {
    expect(judgeSignature(good, image, testSigner().key)).toMatch(/not by the key/);
    expect(judgeSignature(vendor.sign(reference, digestOf("other")), image, vendor.key)).toMatch(/and not for sha256/);
    const payload = Buffer.from(good.payload, "base64").toString().replace("null", "{}");
    expect(judgeSignature({ ...good, payload: Buffer.from(payload).toString("base64") }, image, vendor.key)).toMatch(
      /not by the key/,
    );
  });

  it.each([
    ["another kind of document", { type: "atomic container signature" }],
    ["no digest", { image: {} }],
    ["a digest of another hash", { image: { "docker-manifest-digest": `sha512:${"0".repeat(128)}` } }],
    ["no identity", { identity: null }],
  ])("refuses what the key signed with %s", (_, critical) => {
    expect(judgeSignature(vendor.sign(reference, digest, critical), image, vendor.key)).toMatch(/no document/);
  });

  it.each([
    ["no JSON", Buffer.from("trustkern/backend")],
    ["no UTF-8", Buffer.from([0xff, 0xfe])],
    ["null", Buffer.from("null")],
    ["nothing of it", Buffer.from("{}")],
  ])("refuses what the key signed that is %s", (_, bytes) => {
    expect(judgeSignature(vendor.signBytes(bytes), image, vendor.key)).toMatch(/no document/);
  });

  it.each([
    ["an empty signature", { ...good, signature: "" }],
    ["an empty payload", { ...good, payload: "" }],
    ["white space", { ...good, signature: `${good.signature}\n` }],
    ["URL-safe letters", { ...good, signature: "_-_-" }],
  ])("refuses %s", (_, signature) => {
    expect(judgeSignature(signature, image, vendor.key)).toMatch(/not base64/);
  });

  it("refuses what is no ECDSA signature in DER", () => {
    expect(judgeSignature({ ...good, signature: "AAAA" }, image, vendor.key)).toMatch(/not by the key/);
  });
});
