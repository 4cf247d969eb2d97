import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readCrl } from "../../certs/crl.ts";
import { issueDeploymentCertificates } from "../../certs/deployment.ts";
import { authorityFiles } from "./authority-files.ts";
import { hostCrls } from "./crls.ts";
import { type HostLedger, openHostLedger } from "./host-ledger.ts";
import { hostFiles } from "./store-files.ts";

const DAY_MS = 86_400_000;
const clock = () => new Date(now);
let dir: string;
let now: number;
let leaf: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "tk-crls-"));
  now = Date.parse("2026-03-01T12:00:00Z");
  const made = await issueDeploymentCertificates({
    tenant: "acme",
    clock,
    services: [],
    gateways: ["gw-01"],
    operators: [],
  });
  mkdirSync(join(dir, "crls"));
  for (const [name, { certPem, keyPem }] of Object.entries(made.intermediates)) {
    writeFileSync(join(dir, `${name}.crt`), certPem);
    writeFileSync(join(dir, `${name}.key`), keyPem);
  }
  leaf = made.leaves[0]?.certPem ?? "";
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const openLedger = (): Promise<HostLedger> => openHostLedger({ dir, tenant: "acme", clock, files: hostFiles });
const listOf = (ledger: HostLedger) => {
  const store = authorityFiles({
    dir,
    tenant: "acme",
    namespace: undefined,
    clock,
    files: hostFiles,
    passphrase: () => "",
    onAuthority: async () => undefined,
  });
  return hostCrls({ dir, store, ledger, files: hostFiles, clock, online: [] });
};
const published = () => readCrl(readFileSync(join(dir, "crls", "gateways.pem"), "utf8"));

it("lists what another program has revoked since the ledger was opened", async () => {
  const [mine, theirs] = [await openLedger(), await openLedger()];
  await theirs.issued(leaf, "cli:other");
  await theirs.revoked(leaf, "keyCompromise", "cli:other");
  await listOf(theirs).refresh();
  const before = published();
  expect(before.revoked).toHaveLength(1);
  await listOf(mine).refresh();
  expect(published().revoked).toEqual(before.revoked);
  expect(published().number).toBe(before.number);
});

it("makes no list that has less than the one before, where the ledger does not say why", async () => {
  const ledger = await openLedger();
  await ledger.issued(leaf, "cli:me");
  await ledger.revoked(leaf, "keyCompromise", "cli:me");
  await listOf(ledger).refresh();
  for (const name of ["ledger.ndjson", "ledger.head", "audit.key"]) rmSync(join(dir, name));
  const empty = await openLedger();
  now += 6 * DAY_MS;
  await expect(listOf(empty).refresh()).rejects.toMatchObject({ code: "STATE_CORRUPT" });
  expect(published().revoked).toHaveLength(1);
});

it("keeps the list while it has five days left, and then makes its successor, numbered one more", async () => {
  const ledger = await openLedger();
  await listOf(ledger).refresh();
  const { number } = published();
  now += 1.9 * DAY_MS;
  await listOf(ledger).refresh();
  expect(published().number).toBe(number);
  now += 0.2 * DAY_MS;
  await listOf(ledger).refresh();
  expect(published().number).toBe(number + 1n);
});

it("drops a certificate that ended more than a day ago, and no sooner", async () => {
  const ledger = await openLedger();
  await ledger.issued(leaf, "cli:me");
  await ledger.revoked(leaf, "superseded", "cli:me");
  now += 90.5 * DAY_MS;
  await listOf(ledger).refresh();
  expect(published().revoked).toHaveLength(1);
  now += DAY_MS;
  await listOf(ledger).refresh();
  expect(published().revoked).toHaveLength(0);
});
