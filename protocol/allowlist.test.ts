import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ALLOWLIST_TYPE, createAllowlist, lookup, verifyAllowlist } from "./allowlist.ts";
import type { AllowlistDocument, Audience, Revocation } from "./allowlist-document.ts";
import { dsseSign } from "./dsse.ts";
import { p256Signer } from "./signature.ts";

const backend = generateKeyPairSync("ec", { namedCurve: "P-256" });
const device = generateKeyPairSync("ec", { namedCurve: "P-256" });
const point = device.publicKey.export({ format: "raw-public", type: "uncompressed" }).toString("hex");
const signer = p256Signer(backend.privateKey);
const [A, B, C] = ["0a".repeat(9), "0b".repeat(9), "0c".repeat(9)] as const;

const document: AllowlistDocument = {
  audience: "gateway/gw-01",
  version: 7,
  issuedAtMs: Date.parse("2026-01-01T00:00:00.000Z"),
  sensors: [
    { sensorId: A, publicKey: point, maker: "acme" },
    { sensorId: B, publicKey: point, maker: "globex" },
  ],
  revoked: [],
};

function verify(dsse: string, currentVersion = 0, audience: Audience = "gateway/gw-01") {
  return verifyAllowlist({ dsse, backendKey: backend.publicKey, audience, currentVersion });
}

async function kinds(revoked: readonly Revocation[]) {
  const allowlist = verify(await createAllowlist({ ...document, revoked }, signer));
  return [A, B, C].map((sensorId) => lookup(allowlist, sensorId).kind);
}

/** A signed allowlist whose JSON was changed before it was signed. */
function signedJson(change: (json: Record<string, never>) => unknown): Promise<string> {
  const json = {
    schema: "trustkern.allowlist/1",
    audience: "gateway/gw-01",
    version: 7,
    issued_at: "2026-01-01T00:00:00Z",
    sensors: [{ sensor_id: A, public_key: point, maker: "acme" }],
    revoked: [{ maker: "acme", sensor_ids: [B] }],
  };
  return dsseSign(ALLOWLIST_TYPE, Buffer.from(JSON.stringify(change(json as never) ?? json)), signer);
}

describe("an allowlist", () => {
  it("comes back as it was signed, with keys that are ready", async () => {
    const allowlist = verify(await createAllowlist(document, signer), 6);
    expect(allowlist.document).toEqual(document);
    const entry = lookup(allowlist, A);
    expect(entry.kind === "known" && entry.publicKey.equals(device.publicKey) && entry.maker).toBe("acme");
  });

  it("knows no sensor that is not listed", async () => expect(await kinds([])).toEqual(["known", "known", "unknown"]));

  it("revokes a sensor, listed or not", async () => {
    expect(await kinds([{ maker: "acme", sensorIds: [A, C] }])).toEqual(["revoked", "known", "revoked"]);
  });

  it("revokes a maker's every sensor", async () => {
    expect(await kinds([{ maker: "globex", sensorIds: "all" }])).toEqual(["known", "revoked", "unknown"]);
  });

  it("is taken again in the version that is held", async () => {
    expect(verify(await createAllowlist(document, signer), 7).document.version).toBe(7);
  });

  it("is refused in a lower version", async () => {
    const dsse = await createAllowlist(document, signer);
    expect(() => verify(dsse, 8)).toThrow(expect.objectContaining({ code: "ALLOWLIST_ROLLBACK" }));
  });

  it.each<Audience>(["gateway/gw-02", "collector", "gateway/gw-0"])(
    "is refused by %s, whom it is not for",
    async (audience) => {
      const dsse = await createAllowlist(document, signer);
      expect(() => verify(dsse, 0, audience)).toThrow(expect.objectContaining({ code: "ALLOWLIST_AUDIENCE" }));
    },
  );

  it("is refused when a device signed it, and when it was signed as another type", async () => {
    const forged = await createAllowlist(document, p256Signer(device.privateKey));
    expect(() => verify(forged)).toThrow(expect.objectContaining({ code: "DSSE_BAD_SIGNATURE" }));
    const otherType = await dsseSign("application/vnd.trustkern.provisioning+json", Buffer.from("{}"), signer);
    expect(() => verify(otherType)).toThrow(expect.objectContaining({ code: "DSSE_MALFORMED" }));
  });

  it("takes the JSON of the specification", async () => {
    const { document: parsed } = verify(await signedJson((json) => json));
    expect(parsed.revoked).toEqual([{ maker: "acme", sensorIds: [B] }]);
  });

  it.each<[string, (json: Record<string, never>) => unknown]>([
    ["no object", () => []],
    ["a string", () => "x"],
    ["another schema", (json) => ({ ...json, schema: "trustkern.allowlist/2" })],
    ["a member too many", (json) => ({ ...json, note: 1 })],
    ["no version", ({ version: _, ...json }) => json],
    ["version 0", (json) => ({ ...json, version: 0 })],
    ["a version as text", (json) => ({ ...json, version: "7" })],
    ["an audience of another form", (json) => ({ ...json, audience: "gateway/svc-x" })],
    ["a time without a zone", (json) => ({ ...json, issued_at: "2026-01-01T00:00:00" })],
    ["a time that never was", (json) => ({ ...json, issued_at: "2026-13-01T00:00:00Z" })],
    ["a time in seconds", (json) => ({ ...json, issued_at: 1 })],
    ["no sensors", (json) => ({ ...json, sensors: null })],
    ["a sensor that is no object", (json) => ({ ...json, sensors: ["x"] })],
    [
      "an id in upper case",
      (json) => ({ ...json, sensors: [{ sensor_id: "0A".repeat(9), public_key: point, maker: "m" }] }),
    ],
    ["a short id", (json) => ({ ...json, sensors: [{ sensor_id: "0a", public_key: point, maker: "m" }] })],
    [
      "a compressed key",
      (json) => ({ ...json, sensors: [{ sensor_id: A, public_key: `02${point.slice(2, 66)}`, maker: "m" }] }),
    ],
    [
      "a key off the curve",
      (json) => ({ ...json, sensors: [{ sensor_id: A, public_key: `04${"11".repeat(64)}`, maker: "m" }] }),
    ],
    ["a sensor without a maker", (json) => ({ ...json, sensors: [{ sensor_id: A, public_key: point }] })],
    ["a sensor twice", (json) => ({ ...json, sensors: [...json.sensors!, ...json.sensors!] })],
    ["a revocation of some", (json) => ({ ...json, revoked: [{ maker: "acme", sensor_ids: "some" }] })],
    ["a revocation without a maker", (json) => ({ ...json, revoked: [{ sensor_ids: "all" }] })],
    ["a revoked id that is none", (json) => ({ ...json, revoked: [{ maker: "acme", sensor_ids: ["x"] }] })],
  ])("is malformed with %s", async (_, change) => {
    const dsse = await signedJson(change);
    expect(() => verify(dsse)).toThrow(expect.objectContaining({ code: "ALLOWLIST_MALFORMED" }));
  });
});
