import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoredAuthority } from "../../certs/authority.ts";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueRoot } from "../../certs/classes/root.ts";
import { LEAF_CLASSES, type LeafClass } from "../../certs/names.ts";
import type { Model } from "../../model/boundary.ts";
import type { Authorities } from "./authorities.ts";
import { renewLeaves } from "./leaves.ts";
import { brokerKeys } from "./pins.ts";
import { hostFiles } from "./store-files.ts";

const DAY_MS = 86_400_000;
const LIFE_DAYS = { backend: 30, broker: 30, "gw-01": 90 } as const;
const NAMES = Object.keys(LIFE_DAYS) as (keyof typeof LIFE_DAYS)[];
const IDENTITY = { backend: "svc-backend", broker: "svc-broker", "gw-01": "gw-01" } as const;
const START = Date.parse("2026-11-21T08:00:00Z");
let authorities: Authorities;
let dir: string;
let now: number;
let records: string[];

beforeAll(async () => {
  const at = { now: new Date(START) };
  const root = (await issueRoot({ tenant: "acme", ...at })).authority;
  const made = LEAF_CLASSES.map(
    async (leafClass) => [leafClass, (await issueIntermediate(root, { leafClass, ...at })).authority] as const,
  );
  const issuers = Object.fromEntries(await Promise.all(made)) as Record<LeafClass, StoredAuthority>;
  authorities = { rootPem: root.certPem, anchorsPem: root.certPem, issuers };
});
beforeEach(() => {
  [dir, now, records] = [mkdtempSync(join(tmpdir(), "tk-leaves-")), START, []];
  for (const name of NAMES) mkdirSync(join(dir, name));
});
afterEach(() => rmSync(dir, { recursive: true }));

const secretFile = (component: string, secret: string): string => join(dir, component, secret);
const components = NAMES.map((name) => ({
  name,
  identity: IDENTITY[name],
  secrets: ["tls.crt", "tls.key"].map((secret) => ({ name: secret })),
}));

function renew(
  onLeaf: (certPem: string) => Promise<void> = async () => undefined,
  namespace?: string,
): Promise<readonly string[]> {
  return renewLeaves({
    model: { components, flows: [] } as unknown as Model,
    secretFile,
    authorities,
    tenant: "acme",
    authoritiesDir: dir,
    namespace,
    clock: () => new Date(now),
    files: hostFiles,
    brokerKeys: brokerKeys(dir, secretFile("broker", "tls.key"), hostFiles),
    expired: new Set(),
    revoked: new Set(),
    onLeaf: async (certPem) => {
      records.push(certPem);
      await onLeaf(certPem);
    },
  });
}
const shown = (name: string): string =>
  existsSync(secretFile(name, "tls.crt")) ? readFileSync(secretFile(name, "tls.crt"), "utf8") : "";
const serial = (pem: string): string => new X509Certificate(pem).serialNumber;

describe("a leaf", () => {
  it.each(NAMES)("of %s is renewed when two thirds of its life are over, and no sooner", async (name) => {
    await renew();
    const before = serial(shown(name));
    const { validFromDate, validToDate } = new X509Certificate(shown(name));
    const life = validToDate.getTime() - validFromDate.getTime();
    expect(Math.round(life / DAY_MS)).toBe(LIFE_DAYS[name]);
    now = validFromDate.getTime() + Math.ceil((life * 2) / 3) - 1000;
    expect(await renew()).not.toContain(name);
    expect(serial(shown(name))).toBe(before);
    now += 2000;
    expect(await renew()).toContain(name);
    expect(serial(shown(name))).not.toBe(before);
  });

  it("has its record before it is anywhere", async () => {
    const seen: string[] = [];
    await renew(async () => {
      seen.push(NAMES.map(shown).join(""));
      expect(seen.length).toBe(records.length);
    });
    expect(seen[0]).toBe("");
    for (const [index, text] of seen.entries()) expect(text).not.toContain(records[index]);
    expect(records.map(serial).toSorted()).toEqual(NAMES.map((name) => serial(shown(name))).toSorted());
  });

  it.each(["first", "next"])("is not put in use where its record cannot be made: the %s one", async (which) => {
    if (which === "next") {
      await renew();
      now += 25 * DAY_MS;
    }
    const before = NAMES.map(shown);
    const pins = readKeys();
    await expect(renew(() => Promise.reject(new Error("the ledger is full")))).rejects.toThrow("the ledger is full");
    expect(NAMES.map(shown)).toEqual(before);
    expect(readKeys()).toEqual(pins);
  });

  it.each(NAMES)("of %s with another's key, as a death between two writes leaves it, is made anew", async (name) => {
    await renew();
    const other = name === "backend" ? "gw-01" : "backend";
    const before = serial(shown(name));
    writeFileSync(secretFile(name, "tls.key"), readFileSync(secretFile(other, "tls.key")));
    expect(await renew()).toEqual([name]);
    expect(serial(shown(name))).not.toBe(before);
    expect(records).toHaveLength(NAMES.length + 1);
  });

  it.each([undefined, "tk-plant"])("is of no authority that was made for another namespace than %s", async (own) => {
    const at = { now: new Date(START), namespace: own === undefined ? "tk-other" : undefined };
    const root = (await issueRoot({ tenant: "acme", now: at.now })).authority;
    const { authority } = await issueIntermediate(root, { leafClass: "services", ...at });
    writeFileSync(join(dir, "services.crt"), authority.certPem);
    await expect(renew(undefined, own)).rejects.toMatchObject({ code: "AUTHORITY_NAMESPACE" });
    expect([records, NAMES.map(shown).join("")]).toEqual([[], ""]);
  });
});

/** Every private key that a component uses. */
function readKeys(): readonly string[] {
  const files = NAMES.map((name) => secretFile(name, "tls.key"));
  return files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : `none in ${dirname(file)}`));
}
