import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Authority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import { issueCrl } from "../../../certs/crl.ts";
import type { LedgerEntry } from "../../../certs/ledger/record.ts";
import { createSerially, type Journal } from "../journal.ts";
import { openDatabase } from "../registry/database.ts";
import { createCertificates, expectCertificate, findCertificate } from "./certificates.ts";
import type { Crls, TakenCrl } from "./crls.ts";
import { createRevoker, type Revoker } from "./revoker.ts";

const NOW = 1_800_000_000_000;
const ISSUER = "TrustKern gateways";
let db: DatabaseSync;
let listed: string[];
let asked: string[];
let events: { kind: string; object: string; reason: string }[];
let entries: LedgerEntry[];
let revoker: Revoker;
let authority: Authority;

const journal: Journal = {
  append: async (entry) => void entries.push(entry),
  find: (serial) => entries.filter((entry) => entry.serial === serial),
  entries: () => entries,
  read: () => ({ ledger: "", head: "" }),
  close: () => undefined,
};
const taken = (pem: string): TakenCrl => ({
  ...{ keyId: "01", issuer: ISSUER, number: 1n, nextUpdateMs: NOW, pem, issuerPem: "" },
  isNew: false,
});
/** A list with what is listed by now. */
const currentList = async (): Promise<string> => {
  const now = new Date();
  const revoked = listed.map((serial) => ({ serial, at: now, reason: "unspecified" as const }));
  return (await issueCrl(authority, { number: 1n, revoked, now })).pem;
};
const crls: Crls = {
  list: () => [],
  take: taken,
  names: (issuer, serial) => issuer === ISSUER && listed.includes(serial),
  serialsOf: (issuer) => (issuer === ISSUER ? listed : []),
};
const stateOf = (serial: string) => findCertificate(db, serial)?.state;

beforeAll(async () => {
  const now = new Date();
  const { authority: root } = await issueRoot({ tenant: "acme", now });
  ({ authority } = await issueIntermediate(root, { leafClass: "gateways", now }));
});

beforeEach(() => {
  db = openDatabase(mkdtempSync(join(tmpdir(), "tk-revoker-")));
  [listed, asked, events, entries] = [[], [], [], []];
  for (const serial of ["a1", "a2"]) {
    const of = { issuer: ISSUER, leafClass: "gateways", name: `gw-${serial}`, notAfterMs: NOW } as const;
    expectCertificate(db, { ...of, serial, publicKey: "04", verdict: "v" }, NOW);
  }
  const issuer = {
    crl: currentList,
    revoke: async (serial: string) => {
      asked.push(serial);
      listed.push(serial);
    },
  };
  revoker = createRevoker({
    ...{ db, journal, crls, serially: createSerially(), now: () => NOW, log: { warn: () => undefined } },
    issuers: { gateways: issuer } as unknown as Parameters<typeof createRevoker>[0]["issuers"],
    events: { emit: (event) => void events.push(event) },
  });
});

describe("a revocation in an issuer's own list", () => {
  test("that nobody ordered is believed, told and counted, once", async () => {
    listed.push("a1");
    await revoker.run();
    await revoker.run();
    expect([stateOf("a1"), stateOf("a2"), revoker.unordered()]).toEqual(["revoked", "expected", 1]);
    expect(events.filter(({ kind }) => kind === "CERT_REVOKED")).toMatchObject([
      { object: "a1", reason: "listed and not revoked here" },
    ]);
  });

  test("that was ordered here is neither told nor counted", async () => {
    createCertificates(db, () => NOW).revoke("a1", "keyCompromise");
    await revoker.run();
    expect([asked, revoker.unordered(), events]).toEqual([["a1"], 0, []]);
  });

  test("of a number that is on nobody's record is told and counted, once, and changes nobody's certificate", async () => {
    listed.push("ff");
    await revoker.run();
    await revoker.run();
    expect([stateOf("a1"), stateOf("a2"), revoker.unordered()]).toEqual(["expected", "expected", 1]);
    expect(events).toMatchObject([{ kind: "CERT_REVOKED", object: "ff", reason: "listed and unknown here" }]);
  });
});

test("a list that the host hands over is believed and told, and no alarm", async () => {
  listed.push("a1");
  await revoker.take("", "op-admin");
  expect([stateOf("a1"), revoker.unordered()]).toEqual(["revoked", 0]);
  expect(events).toMatchObject([{ kind: "CERT_REVOKED", object: "a1" }]);
});
