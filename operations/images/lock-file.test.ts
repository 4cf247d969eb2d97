import { describe, expect, it } from "vitest";
import { findingsOf } from "../../model/findings.ts";
import { type ImageLock, parseImageLock, readImageLock, renderImageLock } from "./lock-file.ts";

const digest = `sha256:${"0a".repeat(32)}`;
const lock: ImageLock = {
  source: "registry",
  images: {
    loki: { reference: "grafana/loki:3.7.8", digest },
    broker: { reference: "registry.example:5000/eclipse-mosquitto:2.0.22", digest },
  },
};

function mistakesOf(text: string): readonly string[] {
  try {
    parseImageLock(text, "images.lock.yaml");
    return [];
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "IMAGES_LOCK_INVALID" });
    return findingsOf(thrown).map(({ path }) => path);
  }
}

const file = (images: string, head = "schema: trustkern.images/1\nsource: packages\n"): string => `${head}${images}`;

describe("renderImageLock", () => {
  it("writes what is read back, the same text for the same lock", () => {
    const text = renderImageLock(lock);
    expect(parseImageLock(text, "f")).toEqual(lock);
    const { broker, loki } = lock.images;
    expect(renderImageLock({ ...lock, images: { broker: broker!, loki: loki! } })).toBe(text);
  });

  it("keeps who signed, and what was signed", () => {
    const loki = { ...lock.images.loki!, signature: { payload: "e30=", signature: "MEUCIQ==" } };
    const signed = { ...lock, signer: digest, images: { loki } };
    expect(parseImageLock(renderImageLock(signed), "f")).toEqual(signed);
  });
});

describe("parseImageLock", () => {
  it("says all mistakes at once, each with its place", () => {
    const text = file(
      "images:\n  broker: { reference: broker, digest: sha256:0 }\n  loki: { reference: a/b:1 }\n",
      "schema: trustkern.images/2\nsource: internet\n",
    );
    expect(mistakesOf(text)).toEqual([
      "schema",
      "source",
      "images.broker.reference",
      "images.broker.digest",
      "images.loki.digest",
    ]);
  });

  it.each([
    ["a tag in the place of a digest", `  broker: { reference: "a:1", digest: latest }`],
    ["a digest in upper case", `  broker: { reference: "a:1", digest: "sha256:${"0A".repeat(32)}" }`],
    ["another hash", `  broker: { reference: "a:1", digest: "sha512:${"0a".repeat(32)}" }`],
    ["a member that it does not know", `  broker: { reference: "a:1", digest: "${digest}", insecure: true }`],
    [
      "a signature that is no base64",
      `  broker: { reference: "a:1", digest: "${digest}", signature: { payload: "{}", signature: "AAAA" } }`,
    ],
    ["half a signature", `  broker: { reference: "a:1", digest: "${digest}", signature: { payload: "AAAA" } }`],
    ["a name that is none", `  Broker/../x: { reference: "a:1", digest: "${digest}" }`],
    ["a reference without a tag", `  broker: { reference: "a", digest: "${digest}" }`],
    [
      "an image twice",
      `  b: { reference: "a:1", digest: "${digest}" }\n  b: { reference: "a:2", digest: "${digest}" }`,
    ],
  ])("refuses %s", (_, image) => {
    expect(mistakesOf(file(`images:\n${image}\n`))).toHaveLength(1);
  });

  it.each([
    ["nothing", ""],
    ["a list", "- a\n"],
    ["broken YAML", "images: {\n"],
    ["a file without images", file("")],
  ])("refuses %s", (_, text) => {
    expect(mistakesOf(text).length).toBeGreaterThan(0);
  });
});

describe("readImageLock", () => {
  it("tells a file that is not there from one that cannot be read", () => {
    expect(readImageLock("/nowhere/images.lock.yaml")).toBeUndefined();
    expect(() => readImageLock("/")).toThrow(expect.objectContaining({ code: "IMAGES_LOCK_INVALID" }));
  });
});
