import { mkdtempSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, it } from "vitest";
import type { LedgerEntry } from "../../certs/ledger/record.ts";
import { createSerially, type Journal } from "./journal.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { finishRevocations } from "./recovery.ts";
import { openDatabase, transaction } from "./registry/database.ts";
import { createCertificates, expectCertificate, findCertificate } from "./revocation/certificates.ts";
import { endedSessions } from "./revocation/sessions.ts";

const NOW = 1_800_000_000_000;
const message = { socket: { remoteAddress: "192.0.2.1" } } as unknown as IncomingMessage;
let db: DatabaseSync;
let entries: LedgerEntry[];
let events: { kind: string; object: string; reason: string }[];
let stateAtEntry: (string | undefined)[];
let dies: boolean;
let announced: number;
let recorder: Recorder;

const journal: Journal = {
  append: async (entry) => {
    stateAtEntry.push(findCertificate(db, entry.serial)?.state);
    entries.push(entry);
    if (dies) throw new Error("the process died");
  },
  find: (serial) => entries.filter((entry) => entry.serial === serial),
  entries: () => entries,
  read: () => ({ ledger: "", head: "" }),
  close: () => undefined,
};
const certificates = () => createCertificates(db, () => NOW);
const stateOf = (serial: string) => findCertificate(db, serial)?.state;
const revoke = (...serials: readonly string[]) =>
  recorder.revoking(message, "keyCompromise", () =>
    serials.map((serial) => certificates().revoke(serial, "keyCompromise").serial),
  );

beforeEach(() => {
  db = openDatabase(mkdtempSync(join(tmpdir(), "tk-recorder-")));
  [entries, events, stateAtEntry, dies, announced] = [[], [], [], false, 0];
  for (const serial of ["a1", "a2", "a3"]) {
    const of = { issuer: "TrustKern gateways", leafClass: "gateways", name: `gw-${serial}`, notAfterMs: NOW } as const;
    expectCertificate(db, { ...of, serial, publicKey: "04", verdict: "v" }, NOW);
  }
  recorder = createRecorder({
    ...{ db, journal, certificates: certificates(), serially: createSerially(), anchorsPem: () => "", now: () => NOW },
    authorities: { learn: () => undefined },
    events: { emit: (event) => void events.push(event) },
    revoked: () => {
      announced += 1;
    },
  });
});

it("has each revocation in the journal before it is in the registry", async () => {
  expect(await revoke("a1", "a2")).toEqual(["a1", "a2"]);
  expect(stateAtEntry).toEqual(["expected", "expected"]);
  expect(entries).toMatchObject([
    { kind: "revoked", serial: "a1", reason: "keyCompromise" },
    { kind: "revoked", serial: "a2" },
  ]);
  expect([stateOf("a1"), stateOf("a2"), stateOf("a3")]).toEqual(["revoked", "revoked", "expected"]);
  expect(events.map(({ kind, object }) => [kind, object])).toEqual([
    ["CERT_REVOKED", "a1"],
    ["CERT_REVOKED", "a2"],
  ]);
  expect(announced).toBe(1);
});

it("ends each session once, although the change is tried before it is kept", async () => {
  await revoke("a1", "a2");
  expect(endedSessions(db, 0).map(({ seq, serial }) => [seq, serial])).toEqual([
    [1, "a1"],
    [2, "a2"],
  ]);
});

it("enters a certificate once, and announces nothing, when it is revoked again", async () => {
  await revoke("a1");
  await revoke("a1");
  expect([entries.length, events.length, announced]).toEqual([1, 1, 1]);
});

it("keeps and enters nothing of a change that is refused", async () => {
  const change = revoke("a1", "ffff");
  await expect(change).rejects.toMatchObject({ code: "CERTIFICATE_UNKNOWN" });
  expect([entries.length, events.length, stateOf("a1")]).toEqual([0, 0, "expected"]);
});

it("keeps nothing where the journal cannot be written, and finishes at the next start what it says", async () => {
  dies = true;
  await expect(revoke("a1")).rejects.toThrow("died");
  expect([stateOf("a1"), endedSessions(db, 0)]).toEqual(["expected", []]);
  finishRevocations({ db, journal, events: { emit: (event) => void events.push(event) }, now: () => NOW });
  expect(findCertificate(db, "a1")).toMatchObject({ state: "revoked", reason: "keyCompromise" });
  expect(endedSessions(db, 0)).toHaveLength(1);
  expect(events).toMatchObject([{ kind: "CERT_REVOKED", object: "a1", reason: "finished after a restart" }]);
  dies = false;
  await revoke("a1");
  expect(entries).toHaveLength(1);
});

it("finishes nothing that is finished, that is on no record, or that was only issued", () => {
  const entry = { kind: "issued", serial: "a1", actor: "op-admin", reason: "" } as unknown as LedgerEntry;
  entries.push(entry, { ...entry, kind: "revoked", serial: "ffff" }, { ...entry, kind: "refused", serial: "a2" });
  transaction(db, () => certificates().revoke("a3", "superseded"));
  entries.push({ ...entry, kind: "revoked", serial: "a3", reason: "keyCompromise" });
  finishRevocations({ db, journal, events: { emit: (event) => void events.push(event) }, now: () => NOW });
  expect(["a1", "a2"].map(stateOf)).toEqual(["expected", "expected"]);
  expect(findCertificate(db, "a3")?.reason).toBe("superseded");
  expect(events).toEqual([]);
});
