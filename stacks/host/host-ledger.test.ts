import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { issueRoot } from "../../certs/classes/root.ts";
import { issueDeploymentCertificates } from "../../certs/deployment.ts";
import { type HostLedger, LEDGER_FILES, openHostLedger } from "./host-ledger.ts";
import { hostFiles } from "./store-files.ts";

const NOW = new Date("2026-11-21T08:00:00Z");
let certPem: string;
let dir: string;

beforeAll(async () => {
  certPem = (await issueRoot({ tenant: "acme", now: NOW })).authority.certPem;
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-host-ledger-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (): Promise<HostLedger> => openHostLedger({ dir, tenant: "acme", clock: () => NOW, files: hostFiles });
const at = (file: keyof typeof LEDGER_FILES): string => join(dir, LEDGER_FILES[file]);

it("is there from its first opening, and has what was entered at the next", async () => {
  await (await open()).issued(certPem, "op-admin");
  const again = await open();
  await again.issued(certPem, "op-admin");
  expect(readFileSync(at("records"), "utf8").trimEnd().split("\n")).toHaveLength(1);
});

it.each<readonly [string, readonly (keyof typeof LEDGER_FILES)[]]>([
  ["its records", ["records"]],
  ["its head", ["head"]],
  ["its records and its head", ["records", "head"]],
  ["the key of its heads", ["key"]],
])("does not begin anew where somebody took away %s", async (_, taken) => {
  await (await open()).issued(certPem, "op-admin");
  for (const file of taken) rmSync(at(file));
  await expect(open()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
});

it("begins anew after a first run that died before it kept the key", async () => {
  await open();
  rmSync(at("key"));
  await (await open()).issued(certPem, "op-admin");
  expect((await open()).find(JSON.parse(readFileSync(at("records"), "utf8")).serial)).toHaveLength(1);
});

it("does not take another's head", async () => {
  await (await open()).issued(certPem, "op-admin");
  const head = readFileSync(at("head"), "utf8");
  writeFileSync(at("head"), `${head.slice(0, -4)}AAA\n`);
  await expect(open()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
});

it("is written by several at once, one after the other", async () => {
  const [one, other] = [await open(), await open()];
  const roots = await Promise.all(Array.from({ length: 4 }, () => issueRoot({ tenant: "acme", now: NOW })));
  await Promise.all(roots.map(({ authority }, n) => (n % 2 === 0 ? one : other).issued(authority.certPem, "op-admin")));
  await open();
  expect(readFileSync(at("records"), "utf8").trimEnd().split("\n")).toHaveLength(4);
  expect(existsSync(join(dir, "ledger.lock"))).toBe(false);
});

it("names the gateways that it issued for, while a certificate of theirs is neither revoked nor over", async () => {
  const made = await issueDeploymentCertificates({
    tenant: "acme",
    clock: () => NOW,
    services: [{ name: "svc-backend" }],
    gateways: ["gw-01", "gw-02", "gw-02"],
    operators: ["op-ada"],
  });
  const ledger = await open();
  for (const leaf of made.leaves) await ledger.issued(leaf.certPem, "op-admin");
  const named = (days = 0) => ledger.gatewaysIssued(new Date(NOW.getTime() + days * 86_400_000));
  expect([named(), named(89), named(91)]).toEqual([["gw-01", "gw-02"], ["gw-01", "gw-02"], []]);
  const [first, second, third] = made.leaves.filter(({ name }) => name.startsWith("gw-"));
  await ledger.revoked(first?.certPem ?? "", "superseded", "op-admin");
  await ledger.revoked(second?.certPem ?? "", "superseded", "op-admin");
  expect(named()).toEqual(["gw-02"]);
  await ledger.revoked(third?.certPem ?? "", "superseded", "op-admin");
  expect([named(), (await open()).gatewaysIssued(NOW)]).toEqual([[], []]);
});
