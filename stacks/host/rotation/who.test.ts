import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { issueRoot } from "../../../certs/classes/root.ts";
import type { CertsSite } from "../certs-site.ts";
import { fingerprintOf } from "../pem.ts";
import type { Member } from "./fleet.ts";
import { whoUsesOld } from "./who.ts";

const now = new Date("2026-11-21T08:00:00Z");
const dir = mkdtempSync(join(tmpdir(), "tk-who-"));
const journal = join(dir, "rotation.json");
const NONE = { certificates: "none", clientAuthorities: "none", authority: "none", pins: "none" } as const;
let [before, after] = ["", ""];
let files: Record<string, string>;
let members: readonly Member[];

beforeAll(async () => {
  [before = "", after = ""] = await Promise.all(
    [0, 1].map(async () => (await issueRoot({ tenant: "acme", now })).authority.certPem),
  );
  writeFileSync(join(dir, "leaf.crt"), before);
});
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(() => rmSync(journal, { force: true }));

async function uses() {
  const store = {
    read: (name: string) => files[name],
    anchors: () => ["root", "root.next", "root.old"].flatMap((name) => files[name] ?? []),
    fingerprint: (name: string) => fingerprintOf(files[name] ?? ""),
  };
  const pki = { store, leafFiles: () => [join(dir, "leaf.crt")] };
  const site = { layout: { dir }, secretFile: () => "", pki, fleet: async () => ({ members: async () => members }) };
  const { components } = await whoUsesOld(site as unknown as CertsSite);
  return Object.fromEntries(components.map(({ name, ...use }) => [name, use]));
}
const at = (what: string, phase: string): void =>
  writeFileSync(journal, JSON.stringify({ schema: "trustkern.rotation/1", what, startedAt: "2026", phase, memo: {} }));

it("says of a root who accepts the old, the new, or both, before and after the new is in its place", async () => {
  const [old, fresh] = [before, after].map(fingerprintOf) as [string, string];
  members = [
    { ...NONE, name: "backend", anchors: [old] },
    { ...NONE, name: "broker", anchors: [old, fresh] },
    { ...NONE, name: "gw-01", anchors: [fresh] },
    { ...NONE, name: "gw-77", anchors: undefined, elsewhere: { authority: undefined } },
  ];
  for (const names of [
    { root: before, "root.next": after },
    { root: after, "root.old": before },
  ]) {
    files = { ...names, gateways: before };
    const found = await uses();
    const anchors = ["backend", "broker", "gw-01", "gw-77"].map((name) => found[name]?.anchors);
    expect(anchors).toEqual(["old", "both", "new", "unknown"]);
  }
});

it("says of leaves that they are old until they are issued anew, of those concerned alone", async () => {
  files = { root: before };
  members = ["backend", "gw-01"].map((name) => ({
    ...NONE,
    name,
    anchors: "none",
    certificates: [fingerprintOf(before)],
  }));
  const leaves = async () => Object.values(await uses()).map(({ certificates }) => certificates);
  expect(await leaves()).toEqual(["current", "current"]);
  for (const [what, phase, said] of [
    ["root", "prove-trust", ["old", "old"]],
    ["root", "prove-use", ["new", "new"]],
    ["intermediate:gateways", "add-new", ["current", "old"]],
    ["leaf:backend", "remove-old", ["new", "current"]],
    ["pin", "add-new", ["current", "current"]],
  ] as const) {
    at(what, phase);
    expect(await leaves()).toEqual(said);
  }
});

it("takes an online authority's word by what it issues with", async () => {
  files = { root: before, gateways: after };
  const ca = (authority: Member["authority"]): Member => ({
    ...NONE,
    name: "gateways-ca",
    anchors: undefined,
    authority,
  });
  members = [ca([fingerprintOf(after)])];
  expect((await uses())["gateways-ca"]).toMatchObject({ issuer: "current", anchors: "current" });
  members = [ca([fingerprintOf(before)])];
  expect((await uses())["gateways-ca"]).toMatchObject({ issuer: "old", anchors: "unknown" });
  members = [ca(undefined)];
  expect((await uses())["gateways-ca"]).toMatchObject({ issuer: "unknown", anchors: "unknown" });
  files["gateways.old"] = before;
  members = [ca([fingerprintOf(after)])];
  expect((await uses())["gateways-ca"]).toMatchObject({ issuer: "new" });
});
