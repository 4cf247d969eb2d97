import { randomBytes } from "node:crypto";
import { combine } from "shamir-secret-sharing";
import { beforeAll, describe, expect, test } from "vitest";
import type { Deal } from "./deal.ts";
import { type EscrowFile, openEscrow, parseEscrow, renderEscrow, sealEscrow } from "./escrow-file.ts";
import { prove, rehearseAll } from "./rehearse.ts";
import { makeSecrets, wipe } from "./secrets.ts";
import { bring, dealTo } from "./test-deal.ts";

let dealt: Deal;
beforeAll(async () => {
  dealt = await dealTo(2, 3);
});
const corrupt = expect.objectContaining({ code: "CUSTODY_ESCROW_CORRUPT" });
const parse = (changed: object) => parseEscrow(JSON.stringify({ ...dealt.escrow, ...changed }), "e.json");
const flipped = (hex: string) => `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}`;

describe("an escrow file", () => {
  test("is read as it was written", () => {
    expect(parseEscrow(renderEscrow(dealt.escrow), "e.json")).toEqual(dealt.escrow);
  });

  test.each<[string, () => object]>([
    ["another schema", () => ({ schema: "trustkern.escrow/2" })],
    ["another suite", () => ({ suite: "X-Wing" })],
    ["a member more", () => ({ privateKey: "00" })],
    ["threshold 1", () => ({ threshold: 1 })],
    ["a threshold beyond its shares", () => ({ threshold: 4 })],
    ["a key id that is not its key's", () => ({ keyId: flipped(dealt.escrow.keyId) })],
    ["shares that are numbered otherwise", () => ({ shares: dealt.escrow.shares.toReversed() })],
    ["one share", () => ({ shares: dealt.escrow.shares.slice(0, 1) })],
    ["a ciphertext of half a byte", () => ({ ciphertext: "abc" })],
    ["a short nonce", () => ({ nonce: "00" })],
  ])("is refused with %s", (_, changed) => {
    expect(() => parse(changed())).toThrow(corrupt);
  });

  test.each(["", "{", "null", "[]", '"x"'])("is not %j", (text) => {
    expect(() => parseEscrow(text, "e.json")).toThrow(corrupt);
  });

  test("does not open with anything of what it says changed", async () => {
    const { escrow, shares } = dealt;
    const key = await combine(shares.slice(1).map(({ share }) => share.bytes));
    expect(openEscrow(escrow, key).privateKey).toHaveLength(32);
    const changes: Partial<EscrowFile>[] = [
      { tenant: "acme2" },
      { createdAt: "2026-11-21T08:00:00.001Z" },
      { dealtAt: "2026-11-21T08:00:00.001Z" },
      { threshold: 3 },
      { setId: flipped(escrow.setId) },
      { nonce: flipped(escrow.nonce) },
      { ciphertext: flipped(escrow.ciphertext) },
      { ceremonyKey: (await dealTo(2, 2)).escrow.ceremonyKey },
      { shares: escrow.shares.map((each) => ({ ...each, operator: "partner" as const })) },
    ];
    for (const changed of changes) {
      expect(() => openEscrow({ ...escrow, ...changed }, key), JSON.stringify(changed)).toThrow(corrupt);
    }
    expect(() => openEscrow(escrow, randomBytes(32))).toThrow(corrupt);
  });

  test("is refused when it holds other keys than it names, or no keys", () => {
    const key = randomBytes(32);
    const { nonce: _nonce, ciphertext: _ciphertext, ...metadata } = dealt.escrow;
    const opened = (secrets: Parameters<typeof sealEscrow>[2]) => () =>
      openEscrow(sealEscrow(metadata, key, secrets), key);
    expect(opened(makeSecrets())).toThrow(corrupt);
    expect(opened({ privateKey: randomBytes(31), ceremonyKey: randomBytes(9) })).toThrow(corrupt);
    expect(opened({ privateKey: randomBytes(32), ceremonyKey: randomBytes(9) })).toThrow(corrupt);
  });

  test("has neither the private key nor a share in it", async () => {
    const secrets = makeSecrets();
    const own = await dealTo(2, 3, { secrets });
    const text = renderEscrow(own.escrow);
    const parts = [secrets.privateKey, secrets.ceremonyKey, ...own.shares.map(({ share }) => share.bytes)];
    for (const bytes of parts) {
      for (const encoding of ["hex", "base64", "base64url"] as const) {
        expect(text).not.toContain(Buffer.from(bytes).toString(encoding).slice(4, 40));
      }
    }
  });
});

describe("a rehearsal", () => {
  test("takes every share, and changes none", async () => {
    const texts = bring(dealt).map(({ text }, at) => ({ index: at + 1, text }));
    await rehearseAll(dealt.escrow, texts);
    const bad = texts.with(2, { index: 3, text: `${texts[2]?.text.slice(0, -1)}` });
    await expect(rehearseAll(dealt.escrow, bad)).rejects.toMatchObject({ path: "share 3" });
  });

  test("proves nothing with another key", () => {
    const other = makeSecrets();
    expect(() => prove(dealt.escrow, other)).toThrow(corrupt);
    wipe(other);
    expect([...other.privateKey, ...other.ceremonyKey].every((byte) => byte === 0)).toBe(true);
  });
});
