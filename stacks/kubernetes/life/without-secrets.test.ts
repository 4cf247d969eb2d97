import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutSecrets } from "./without-secrets.ts";

const secretOf = (values: Readonly<Record<string, string>>, kind = "Secret") => ({
  ...{ apiVersion: "v1", kind, metadata: { name: "collector", namespace: "plant" } },
  data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")])),
});
const KEY =
  "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
const BASE64 = Buffer.from(KEY).toString("base64");

describe("a refusal of a Secret", () => {
  it.each([
    ["in Base64", `denied by policy: ${BASE64}`],
    ["as it is", `denied by policy: ${KEY}`],
    ["cut off", `denied by policy: ${BASE64.slice(0, 20)}`],
    ["from its middle", `denied: ...${KEY.slice(40, 60)}...`],
  ])("is shown without its words where they repeat a value %s", (_, message) => {
    const shown = JSON.stringify(withoutSecrets({ message, reason: "Forbidden" }, 403, secretOf({ "tls.key": KEY })));
    expect(shown).toContain("HTTP 403, in words that are not shown");
    expect(shown).not.toMatch(/denied|MIGH|PRIVATE/);
  });

  it("is looked through in every member", () => {
    const body = { message: "denied", details: { causes: [{ message: BASE64 }] } };
    expect(JSON.stringify(withoutSecrets(body, 422, secretOf({ "tls.key": KEY })))).not.toContain(BASE64);
  });

  it("hides a short value too", () => {
    const body = { message: "denied: hunter2" };
    expect(JSON.stringify(withoutSecrets(body, 400, secretOf({ password: "hunter2" })))).not.toContain("hunter2");
  });

  it("is shown as it is where it repeats nothing", () => {
    const body = { message: "exceeded quota: small, requested: secrets=1", reason: "Forbidden" };
    expect(withoutSecrets(body, 403, secretOf({ "tls.key": KEY, empty: "" }))).toBe(body);
  });

  it("never has twelve characters of a value in a row, wherever they stand", () => {
    const value = fc.stringMatching(/^[A-Za-z0-9+/]{24,80}$/);
    fc.assert(
      fc.property(value, fc.nat(60), fc.string(), (text, from, around) => {
        const start = from % (text.length - 12);
        const piece = text.slice(start, start + 12);
        const shown = withoutSecrets({ message: `${around}${piece}` }, 403, secretOf({ key: text }));
        return !JSON.stringify(shown).includes(piece);
      }),
    );
  });
});

it.each([
  ["an answer that is none", 200, "Secret"],
  ["a refusal of something else", 403, "ConfigMap"],
])("%s stays as it is", (_, status, kind) => {
  const body = { message: BASE64 };
  expect(withoutSecrets(body, status, secretOf({ "tls.key": KEY }, kind))).toBe(body);
});
