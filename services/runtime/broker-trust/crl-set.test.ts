import { beforeAll, describe, expect, test } from "vitest";
import type { StoredAuthority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import { issueCrl } from "../../../certs/crl.ts";
import { normalSerial } from "../../../certs/serial.ts";
import { newlyRevoked, planCrlSet, sameCrls } from "./crl-set.ts";
import { certificatesIn } from "./issuers.ts";
import { keyIdOf } from "./trusted-crl.ts";

const DAY_MS = 86_400_000;
const now = new Date("2026-03-01T00:00:00Z");
let root: StoredAuthority;
let gateways: StoredAuthority;
let services: StoredAuthority;
let strangers: StoredAuthority;

beforeAll(async () => {
  const started = new Date(now.getTime() - 30 * DAY_MS);
  root = (await issueRoot({ tenant: "acme", now: started })).authority;
  gateways = (await issueIntermediate(root, { leafClass: "gateways", now: started })).authority;
  services = (await issueIntermediate(root, { leafClass: "services", now: started })).authority;
  const foreign = (await issueRoot({ tenant: "acme", now: started })).authority;
  strangers = (await issueIntermediate(foreign, { leafClass: "gateways", now: started })).authority;
});

async function list(
  issuer: StoredAuthority,
  number: number,
  serials: readonly string[] = [],
  at = now,
): Promise<string> {
  const revoked = serials.map((serial) => ({ serial, at, reason: "keyCompromise" as const }));
  return (await issueCrl(issuer, { number: BigInt(number), revoked, now: at })).pem;
}

function plan(texts: readonly string[], { kept = [], least = new Map(), at = now }: PlanOptions = {}) {
  return planCrlSet({
    anchors: root.certPem,
    texts: [...texts, gateways.certPem, services.certPem],
    kept,
    least,
    now: at,
  });
}

interface PlanOptions {
  readonly kept?: readonly string[];
  readonly least?: ReadonlyMap<string, bigint>;
  readonly at?: Date;
}

const numbers = ({ crls }: ReturnType<typeof plan>) =>
  crls.map(({ issuer, number }) => `${issuer} ${number}`).toSorted();
const keyOf = ({ certPem }: StoredAuthority): string => {
  const [certificate] = certificatesIn(certPem);
  if (certificate === undefined) throw new Error("no certificate");
  return keyIdOf(certificate);
};

describe("the lists that are taken", () => {
  test("are the newest of each issuer, in whatever order they come", async () => {
    const [old, newest, other] = await Promise.all([list(gateways, 1), list(gateways, 2, ["0a"]), list(services, 9)]);
    const set = plan([newest, other, old]);
    expect(numbers(set)).toEqual(["TrustKern gateways 2", "TrustKern services 9"]);
    expect(set.refusals).toEqual([]);
    expect([...(set.crls.find(({ issuer }) => issuer.endsWith("gateways"))?.serials ?? [])]).toEqual(["a"]);
  });

  test("are those of before, where nothing comes", async () => {
    expect(numbers(plan([], { kept: [await list(gateways, 3)] }))).toEqual(["TrustKern gateways 3"]);
  });

  test("are read with either label", async () => {
    const relabelled = (await list(gateways, 1)).replaceAll("X509 CRL", "CRL");
    expect(plan([relabelled]).crls[0]?.pem).toContain("BEGIN X509 CRL");
  });
});

describe("refused, and said so", () => {
  test.each([
    ["torn", (pem: string) => pem.slice(0, 200)],
    ["empty", () => ""],
    ["of other bytes", () => "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"],
    ["of another signature", (pem: string) => pem.replace(/(.{30})\n-----END/, `${"A".repeat(28)}==\n-----END`)],
  ])("is a list that is %s, and the one of before stays", async (_, spoil) => {
    const set = plan([spoil(await list(gateways, 4))], { kept: [await list(gateways, 3)] });
    expect(numbers(set)).toEqual(["TrustKern gateways 3"]);
    expect(set.refusals).toHaveLength(1);
  });

  test("is the list of a stranger of the same name, also with his certificate beside it", async () => {
    const set = plan([await list(strangers, 9), strangers.certPem]);
    expect(set.crls).toEqual([]);
    expect(set.refusals).toHaveLength(1);
  });

  test("is a list of one of our authorities in the name of another", async () => {
    const impostor = { ...gateways, signingKey: services.signingKey };
    expect(plan([await list(impostor, 9)]).crls).toEqual([]);
  });

  test("is a list with a lower number than one that was in force", async () => {
    const least = new Map([[keyOf(gateways), 5n]]);
    const set = plan([await list(gateways, 4)], { least });
    expect(set.crls).toEqual([]);
    expect(set.refusals[0]).toContain("older than 5");
    expect(numbers(plan([await list(gateways, 5)], { least }))).toEqual(["TrustKern gateways 5"]);
  });

  test("is a list that has ended, and one that is not in force yet", async () => {
    const later = new Date(now.getTime() + 8 * DAY_MS);
    expect(plan([await list(gateways, 1)], { at: later })).toMatchObject({ crls: [], refusals: [expect.any(String)] });
    expect(plan([await list(gateways, 2, [], later)])).toMatchObject({ crls: [], refusals: [expect.any(String)] });
  });
});

test("a list that was taken once is refused when it has ended, and by who does not know its issuer", async () => {
  const pem = await list(gateways, 1);
  const later = new Date(now.getTime() + 8 * DAY_MS);
  expect(plan([pem]).crls).toHaveLength(1);
  expect(plan([pem], { at: later }).crls).toEqual([]);
  expect(plan([pem], { at: new Date(now.getTime() - DAY_MS) }).crls).toEqual([]);
  expect(planCrlSet({ anchors: strangers.certPem, texts: [pem], least: new Map(), now }).crls).toEqual([]);
  expect(plan([pem]).crls).toHaveLength(1);
});

test("a list of before that is older or ended is nobody's mistake", async () => {
  const later = new Date(now.getTime() + 8 * DAY_MS);
  const kept = [await list(gateways, 1)];
  expect(plan([], { kept, at: later })).toMatchObject({ crls: [], refusals: [] });
  expect(plan([], { kept, least: new Map([[keyOf(gateways), 2n]]) })).toMatchObject({ crls: [], refusals: [] });
});

test("an authority that the root revokes is named, and its own list goes", async () => {
  const serial = certificatesIn(gateways.certPem)[0]?.serialNumber ?? "";
  const set = plan([await list(root, 1, [serial]), await list(gateways, 1), await list(services, 1)]);
  expect(numbers(set)).toEqual(["TrustKern root 1", "TrustKern services 1"]);
  expect(set.revokedIssuers.map(({ serialNumber }) => serialNumber)).toEqual([serial]);
});

test("the serial number of an authority in another issuer's list takes nothing away", async () => {
  const serial = certificatesIn(gateways.certPem)[0]?.serialNumber ?? "";
  expect(plan([await list(services, 1, [serial]), await list(gateways, 1)]).revokedIssuers).toEqual([]);
});

test("what a list revokes newly is what the one before did not, of the same issuer", async () => {
  const before = plan([await list(gateways, 1, ["0a"]), await list(services, 1, ["0c"])]).crls;
  const next = plan([await list(gateways, 2, ["0a", "0b", "0c"]), await list(services, 2, ["0c"])]).crls;
  expect(newlyRevoked(before, next)).toEqual(
    ["b", "c"].map((serial) => ({ issuer: "TrustKern gateways", serial: normalSerial(serial) })),
  );
  expect(newlyRevoked([], before)).toHaveLength(2);
});

test("two sets are the same by their lists, in any order", async () => {
  const [one, other] = await Promise.all([list(gateways, 1), list(services, 1)]);
  expect(sameCrls(plan([one, other]).crls, plan([other, one]).crls)).toBe(true);
  expect(sameCrls(plan([one, other]).crls, plan([one]).crls)).toBe(false);
  expect(sameCrls(plan([one]).crls, plan([await list(gateways, 2)]).crls)).toBe(false);
});
