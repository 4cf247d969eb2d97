import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredAuthority } from "../../certs/authority.ts";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueServiceLeaf } from "../../certs/classes/leaf-service.ts";
import { issueRoot } from "../../certs/classes/root.ts";
import { issueCrl } from "../../certs/crl.ts";
import { certificatesIn } from "../runtime/broker-trust/issuers.ts";
import type { Force } from "./in-force.ts";
import { hasOwnList, planForce, usableForce } from "./plan-force.ts";

const now = new Date();
const stateDir = mkdtempSync(join(tmpdir(), "tk-plan-"));
const crlFile = join(stateDir, "first.pem");
const of: Record<string, StoredAuthority> = {};
const leaf: Record<string, { readonly cert: string; readonly key: string }> = {};

const authority = (name: string): StoredAuthority => {
  const found = of[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const pair = (name: string) => {
  const found = leaf[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

beforeAll(async () => {
  of.root = (await issueRoot({ tenant: "acme", now })).authority;
  of.services = (await issueIntermediate(of.root, { leafClass: "services", now })).authority;
  of.successor = (await issueIntermediate(of.root, { leafClass: "services", now })).authority;
  of.gateways = (await issueIntermediate(of.root, { leafClass: "gateways", now })).authority;
  for (const name of ["services", "successor"]) {
    const issued = await issueServiceLeaf(authority(name), { name: "svc-broker", now });
    leaf[name] = { cert: issued.certPem, key: issued.keyPem };
  }
  writeFileSync(crlFile, "");
});
afterAll(() => rmSync(stateDir, { recursive: true }));

const serialOf = (name: string): string => new X509Certificate(authority(name).certPem).serialNumber;
async function list(name: string, revoked: readonly string[] = []): Promise<string> {
  const serials = revoked.map((each) => ({ serial: serialOf(each), at: now, reason: "superseded" as const }));
  return (await issueCrl(authority(name), { number: 1n, revoked: serials, now })).pem;
}
const lists = async (...names: readonly string[]) => Promise.all(names.map((name) => list(name)));

/** What is planned for a broker that shows a leaf of `own`, with these anchors, of lists that came. */
function plan(crls: readonly string[], own = "services", anchors: readonly string[] = ["root"]): Force {
  const pemOf = (name: string): string => authority(name).certPem;
  const issuers = ["root", "services", "successor", "gateways"].map(pemOf).join("");
  const feed = { crls: crls.map((pem) => ({ pem, issuer_pem: issuers })), ended: [] };
  const tls = { ...pair(own), ca: anchors.map(pemOf).join(""), minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
  return planForce({ tls, crlFile, stateDir, feed, least: new Map(), now }).force;
}
const issuersOf = ({ crls }: Force) => crls.map(({ issuer }) => issuer).toSorted();
const trustFile = ({ tls }: Force) => certificatesIn(tls.ca).map(({ serialNumber }) => serialNumber);

describe("the trust file of the broker, of which Mosquitto checks leaves alone,", () => {
  const both = ["root", "gateways"];

  test("has no authority that its issuer has revoked, nor has the file of lists that one's", async () => {
    const force = plan([await list("root", ["gateways"]), ...(await lists("services", "gateways"))], "services", both);
    expect(trustFile(force)).toEqual([serialOf("root")]);
    expect(issuersOf(force)).toEqual(["TrustKern root", "TrustKern services"]);
    expect(force.revokedIssuers).toEqual([new X509Certificate(authority("gateways").certPem).fingerprint256]);
  });

  test("keeps it while nobody has revoked it", async () => {
    expect(trustFile(plan(await lists("root", "services", "gateways"), "services", both))).toEqual(both.map(serialOf));
  });

  test("keeps it where the list is of somebody who did not issue it", async () => {
    const crls = [await list("services", ["gateways"]), ...(await lists("root", "gateways"))];
    expect(trustFile(plan(crls, "services", both))).toEqual(both.map(serialOf));
  });
});

describe("a plan without a list of the authority of the broker's own certificate", () => {
  const refused = expect.objectContaining({ code: "BROKER_CRL_REFUSED" });

  test("is told from one that has it, by the key and not by the name", async () => {
    expect(hasOwnList(plan(await lists("root", "services")))).toBe(true);
    expect(hasOwnList(plan(await lists("root", "gateways")))).toBe(false);
    expect(hasOwnList(plan(await lists("root", "successor")))).toBe(false);
  });

  test("is not put in force with a broker that has not worked yet", async () => {
    const next = plan(await lists("root", "gateways"));
    expect(() => usableForce(next, undefined, false)).toThrow(refused);
  });

  test("is not put in force where there is no other list either", async () => {
    const before = plan(await lists("root", "services"));
    expect(() => usableForce(plan([]), before, true)).toThrow(refused);
  });

  test.each([true, false])(
    "is put in force with its other lists where the broker has worked, and said (running: %s)",
    async (running) => {
      const before = plan(await lists("root", "services", "gateways"));
      const next = plan(await lists("root", "gateways"));
      expect(usableForce(next, before, running)).toEqual({ force: next, fault: refused });
    },
  );

  test("is put in force with a broker that runs though nobody knows with what", async () => {
    const next = plan(await lists("root", "gateways"));
    expect(usableForce(next, undefined, true)).toEqual({ force: next, fault: refused });
  });

  test("leaves the broker the certificate that it shows, whose authority has one", async () => {
    const crls = await lists("root", "services", "gateways");
    const { force, fault } = usableForce(plan(crls, "successor"), plan(crls), true);
    expect({ cert: force.tls.cert, key: force.tls.key }).toEqual(pair("services"));
    expect(issuersOf(force)).toEqual(["TrustKern gateways", "TrustKern root", "TrustKern services"]);
    expect(fault).toEqual(refused);
  });

  test("is whole once that list is there, and the new certificate is taken", async () => {
    const crls = await lists("root", "services", "successor");
    const next = plan(crls, "successor");
    expect(usableForce(next, plan(crls), true)).toEqual({ force: next, fault: undefined });
  });
});
