import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { loadAuthority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueGatewayLeaf } from "./classes/leaf-gateway.ts";
import { issueServiceLeaf } from "./classes/leaf-service.ts";
import { type IssuedAuthority, issueRoot } from "./classes/root.ts";

const DAY = 86_400;
const now = new Date("2026-11-21T08:00:00Z");
let root: IssuedAuthority["authority"];
let gateways: IssuedAuthority["authority"];
beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  gateways = (await issueIntermediate(root, { leafClass: "gateways", now })).authority;
});

describe("an authority", () => {
  test("issues its own class of leaves and no other", async () => {
    await expect(issueServiceLeaf(gateways, { name: "svc-broker", now })).rejects.toMatchObject({
      code: "CERT_ISSUER_WRONG",
    });
    await expect(issueGatewayLeaf(root, { name: "gw-01", now })).rejects.toMatchObject({ code: "CERT_ISSUER_WRONG" });
  });

  test("does not issue an authority unless it is the root", async () => {
    await expect(issueIntermediate(gateways, { leafClass: "gateways", now })).rejects.toMatchObject({
      code: "CERT_ISSUER_WRONG",
    });
  });

  test.each([0, 299, 1.5, Number.NaN, -DAY, 90 * DAY + 1])(
    "refuses a leaf's lifetime of %d s",
    async (lifetimeSeconds) => {
      await expect(issueGatewayLeaf(gateways, { name: "gw-01", now, lifetimeSeconds })).rejects.toMatchObject({
        code: "CERT_LIFETIME_RANGE",
      });
    },
  );

  test("takes both ends of the range", async () => {
    for (const lifetimeSeconds of [300, 90 * DAY]) {
      await expect(issueGatewayLeaf(gateways, { name: "gw-01", now, lifetimeSeconds })).resolves.toBeDefined();
    }
  });

  test("refuses a leaf that outlives its issuer, by one second", async () => {
    const short = await issueIntermediate(root, { leafClass: "gateways", now, lifetimeSeconds: DAY });
    const leaf = (lifetimeSeconds: number) =>
      issueGatewayLeaf(short.authority, { name: "gw-01", now, lifetimeSeconds });
    await expect(leaf(DAY)).resolves.toBeDefined();
    await expect(leaf(DAY + 1)).rejects.toMatchObject({ code: "CERT_OUTLIVES_ISSUER" });
  });

  test("refuses an intermediate that outlives its root", async () => {
    const young = await issueRoot({ tenant: "acme", now, lifetimeSeconds: 30 * DAY });
    await expect(issueIntermediate(young.authority, { leafClass: "services", now })).rejects.toMatchObject({
      code: "CERT_OUTLIVES_ISSUER",
    });
  });

  test("is refused with the key of another, and the key is in no error", async () => {
    const { certPem } = gateways;
    const wrong = [root.keyPem, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", ""];
    for (const keyPem of wrong) {
      const thrown: unknown = await loadAuthority({ certPem, keyPem }).catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code: "CERT_AUTHORITY_INVALID" });
      expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toMatch(/PRIVATE KEY|c2VjcmV0/);
      expect((thrown as Error).cause).toBeUndefined();
    }
  });

  test("is refused with a key of another curve", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
    const keyPem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    await expect(loadAuthority({ certPem: gateways.certPem, keyPem })).rejects.toMatchObject({
      code: "CERT_AUTHORITY_INVALID",
    });
  });

  test("is refused when its certificate is a leaf's", async () => {
    const leaf = await issueGatewayLeaf(gateways, { name: "gw-01", now });
    await expect(loadAuthority(leaf)).rejects.toMatchObject({ code: "CERT_AUTHORITY_INVALID" });
  });

  test("is refused when its certificate is cut off", async () => {
    const certPem = gateways.certPem.slice(0, 200);
    await expect(loadAuthority({ certPem, keyPem: gateways.keyPem })).rejects.toMatchObject({
      code: "CERT_AUTHORITY_INVALID",
    });
  });
});
