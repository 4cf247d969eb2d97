import { createPublicKey, type KeyObject } from "node:crypto";
import { CompactSign } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { createMemorySigner } from "../../certs/signers/index.ts";
import { signJws } from "../../certs/signers/sign-jws.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { type AuditHead, readHead, signHead } from "./head.ts";
import { readVouch, type Session, startSession } from "./session.ts";

const head: AuditHead = {
  ...{ seq: 3, hash: "0a".repeat(32), at: "2026-11-21T08:00:00.000Z" },
  ...{ segment: "audit-000000000001.ndjson", generations: [2] },
};
const place = { seq: 1, prev: "0".repeat(64) };
let store: KeySigner;
let storeKey: KeyObject;
let session: Session;
const newStore = async () => (await createMemorySigner("P-256", "memory")).signer;
const publicOf = ({ publicKeySpki }: KeySigner) => createPublicKey({ key: publicKeySpki, format: "der", type: "spki" });
beforeAll(async () => {
  store = await newStore();
  storeKey = publicOf(store);
  session = await startSession(store, place);
});

/** What the session's key signed. */
function signed(payload: object, header: object): Promise<string> {
  const bytes = Buffer.from(JSON.stringify(payload));
  return new CompactSign(bytes).setProtectedHeader({ alg: "ES256", ...header }).sign(session.signingKey);
}

describe("a head", () => {
  test("is read by the store's key alone, with the session that signed it, and fits in a slot", async () => {
    const text = await signHead(head, session);
    expect(await readHead(text, storeKey)).toEqual({ ...head, session: session.claim });
    expect(text.length).toBeLessThan(1_500);
  });

  const typ = "trustkern.audit-head/1";
  const payload = { schema: typ, ...head };
  test.each<readonly [string, object, () => object]>([
    ["of no type", payload, () => ({ session: session.vouch })],
    ["of no schema", head, () => ({ typ, session: session.vouch })],
    ["without a session", payload, () => ({ typ })],
    ["whose session is no text", payload, () => ({ typ, session: 1 })],
    ["whose session is no statement", payload, () => ({ typ, session: "e30.e30.AA" })],
    ["with a member too many", { ...payload, more: 1 }, () => ({ typ, session: session.vouch })],
    ["whose number is none", { ...payload, seq: "3" }, () => ({ typ, session: session.vouch })],
    ["whose hash is none", { ...payload, hash: "" }, () => ({ typ, session: session.vouch })],
    ["with three generations", { ...payload, generations: [1, 2, 3] }, () => ({ typ, session: session.vouch })],
  ])("%s is none", async (_, claims, header) => {
    expect(await readHead(await signed(claims, header()), storeKey)).toBe(null);
  });

  test("of another store is none, nor one whose session another store vouched for, nor one signed by another session", async () => {
    const stranger = await newStore();
    const text = await signHead(head, session);
    expect(await readHead(text, publicOf(stranger))).toBe(null);
    const forged = await startSession(stranger, place);
    expect(await readHead(await signHead(head, forged), storeKey)).toBe(null);
    expect(await readHead(await signHead(head, { ...forged, vouch: session.vouch }), storeKey)).toBe(null);
  });

  test("with any bit flipped is none", async () => {
    const text = await signHead(head, session);
    for (let index = 0; index < text.length; index += 7) {
      const bytes = Buffer.from(text);
      bytes[index]! ^= 1 << (index % 7);
      expect(await readHead(bytes.toString("latin1"), storeKey)).toBe(null);
    }
  });
});

describe("a session", () => {
  test("is vouched for by its store", async () => {
    expect(await readVouch(session.vouch, storeKey)).toEqual(session.claim);
    expect(await readVouch(session.vouch, publicOf(await newStore()))).toBe(null);
  });

  test.each([
    ["of no schema", {}, "trustkern.audit-session/1"],
    ["of another type", { schema: "trustkern.audit-session/1" }, "trustkern.audit-head/1"],
    ["that is numbered 0", { schema: "trustkern.audit-session/1", seq: 0 }, "trustkern.audit-session/1"],
    ["without a key", { schema: "trustkern.audit-session/1", publicKey: "?" }, "trustkern.audit-session/1"],
  ])("%s is none", async (_, change, typ) => {
    const text = await signJws(store, { typ }, Buffer.from(JSON.stringify({ ...session.claim, ...change })));
    expect(await readVouch(text, storeKey)).toBe(null);
  });
});
