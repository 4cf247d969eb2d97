import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { createAllowlist } from "../../../protocol/allowlist.ts";
import type { Audience } from "../../../protocol/allowlist-document.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import type { DocumentName } from "../store/documents.ts";
import { createTrust } from "./trust.ts";

const backend = generateKeyPairSync("ec", { namedCurve: "P-256" });
const HOUR_MS = 3_600_000;
const NOW = Date.parse("2026-11-21T00:00:00Z");

function signed(version: number, changes: { audience?: Audience; issuedAtMs?: number; key?: typeof backend } = {}) {
  const { audience = "gateway/gw-01", issuedAtMs = NOW, key = backend } = changes;
  return createAllowlist({ audience, version, issuedAtMs, sensors: [], revoked: [] }, p256Signer(key.privateKey));
}

function setup(stored?: string) {
  const errors: unknown[] = [];
  const kept: Partial<Record<DocumentName, string | undefined>> = { allowlist: stored };
  const clock = { now: NOW };
  const trust = createTrust({
    gateway: "gw-01",
    backendKey: backend.publicKey,
    documents: {
      get: (name) => kept[name],
      put: (name, text) => {
        kept[name] = text;
      },
    },
    maxAgeHours: 72,
    now: () => clock.now,
    onError: (error) => errors.push(error),
  });
  return { trust, kept, clock, errors };
}

it("keeps the signed bytes, and verifies them again at the next start", async () => {
  const first = setup();
  expect(first.trust.status()).toBeNull();
  first.trust.take(await signed(3));
  const second = setup(first.kept.allowlist);
  expect(second.trust.status()).toMatchObject({ version: 3, tooOld: false });
});

it("uses no copy on disk that was tampered with, and says so", async () => {
  const tampered = (await signed(3)).replace(/"payload":"../, '"payload":"AA');
  const { trust, errors } = setup(tampered);
  expect([trust.current(), errors.length]).toEqual([undefined, 1]);
});

it.each([
  [
    "of another key",
    () => signed(9, { key: generateKeyPairSync("ec", { namedCurve: "P-256" }) }),
    "DSSE_BAD_SIGNATURE",
  ],
  ["for another gateway", () => signed(9, { audience: "gateway/gw-02" }), "ALLOWLIST_AUDIENCE"],
  ["for the collector", () => signed(9, { audience: "collector" }), "ALLOWLIST_AUDIENCE"],
  ["of a lower version", () => signed(4), "ALLOWLIST_ROLLBACK"],
  ["that is no JSON", async () => "nonsense", "DSSE_MALFORMED"],
])("refuses an allowlist %s, and keeps the old one", async (_, make, code) => {
  const { trust, kept } = setup();
  const good = await signed(5);
  trust.take(good);
  const bad = await make();
  expect(() => trust.take(bad)).toThrow(expect.objectContaining({ code }));
  expect([trust.status()?.version, kept.allowlist]).toEqual([5, good]);
});

it("takes the same version again when it was issued anew", async () => {
  const { trust, clock } = setup();
  trust.take(await signed(5));
  clock.now = NOW + 73 * HOUR_MS;
  expect(trust.isTooOld()).toBe(true);
  trust.take(await signed(5, { issuedAtMs: clock.now }));
  expect(trust.isTooOld()).toBe(false);
});

it("calls an allowlist too old after 72 h and not before; none at all is not too old", async () => {
  const { trust, clock } = setup();
  expect(trust.isTooOld()).toBe(false);
  trust.take(await signed(1));
  clock.now = NOW + 72 * HOUR_MS;
  expect(trust.isTooOld()).toBe(false);
  clock.now += 1;
  expect(trust.isTooOld()).toBe(true);
});

it("calls one from a clock that is two days ahead too old 72 h after it came", async () => {
  const { trust, clock } = setup();
  trust.take(await signed(1, { issuedAtMs: NOW + 48 * HOUR_MS }));
  clock.now = NOW + 72 * HOUR_MS;
  expect(trust.isTooOld()).toBe(false);
  clock.now += 1;
  expect(trust.isTooOld()).toBe(true);
});

it("lets a revocation hold at once, even where it cannot be written down", async () => {
  const { trust, kept, errors } = setup();
  Object.defineProperty(kept, "allowlist", {
    set: () => {
      throw new Error("disk");
    },
  });
  trust.take(await signed(2));
  expect([trust.status()?.version, errors.length]).toEqual([2, 1]);
});
