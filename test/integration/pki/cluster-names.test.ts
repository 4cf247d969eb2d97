import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredAuthority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueServiceLeaf } from "../../../certs/classes/leaf-service.ts";
import { x509 } from "../../../certs/x509.ts";
import { runProgram } from "../../support/run.ts";
import { type Authorities, makeAuthorities } from "./authorities.ts";
import { clientLeaf, forge } from "./forge.ts";
import { verdict } from "./verdict.ts";

const NAMESPACE = "tk-plant";
const SUBJECT = [{ O: ["acme"] }, { OU: ["services"] }, { CN: ["svc-backend"] }];
const folder = mkdtempSync(join(tmpdir(), "tk-go-verify-"));
const program = join(folder, "verify");
let authorities: Authorities;
let cluster: StoredAuthority;

beforeAll(async () => {
  authorities = await makeAuthorities("acme");
  const request = { leafClass: "services", now: new Date(), namespace: NAMESPACE } as const;
  cluster = (await issueIntermediate(authorities.root, request)).authority;
  const env = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off", GOPROXY: "off" };
  const cwd = join(import.meta.dirname, "../../support/go-verify");
  const { code, stderr } = await runProgram("go", ["build", "-o", program, "."], { cwd, env, timeoutSeconds: 600 });
  expect([code, stderr]).toEqual([0, ""]);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** A server's leaf with these names, by whoever has the authority's key. */
async function leafWith(issuer: StoredAuthority, names: readonly string[]): Promise<string> {
  const alternative = names.map((value) => ({ type: "dns" as const, value }));
  const extensions = clientLeaf(alternative, [x509.ExtendedKeyUsage.serverAuth]);
  return (await forge({ issuer, subject: SUBJECT, extensions })).certPem;
}

/** What a program in Go says of each chain for a host; empty for a yes. */
async function goSays(asked: readonly { readonly chain: string; readonly host: string }[]): Promise<readonly string[]> {
  const input = JSON.stringify(asked.map((each) => ({ ...each, roots: authorities.root.certPem })));
  const { code, stdout, stderr } = await runProgram(program, [], { input });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as readonly string[];
}

const opensslSays = (chain: string) => verdict(chain, { rootPem: authorities.root.certPem, purpose: "sslserver" });

test.each(["backend", "database"])(
  "Go and OpenSSL take %s by the name of its Service, and by its own",
  async (name) => {
    const { certPem } = await issueServiceLeaf(cluster, { name: `svc-${name}`, now: new Date() });
    const hosts = [`${name}.${NAMESPACE}.svc`, `${name}.acme.trustkern.internal`];
    expect(await goSays(hosts.map((host) => ({ chain: certPem, host })))).toEqual(["", ""]);
    expect(await opensslSays(certPem)).toBe("OK");
    const [other] = await goSays([{ chain: certPem, host: `other.${NAMESPACE}.svc` }]);
    expect(other).toMatch(/not other\.tk-plant\.svc/);
  },
);

describe("the key of a cluster's authority of services names nobody else to Go and OpenSSL", () => {
  test.each([
    ["another namespace's Service", "backend.tk-other.svc"],
    ["the API server", "kubernetes.default.svc"],
    ["a Service of no namespace", "backend.svc"],
    ["one in the cluster's own domain", `backend.${NAMESPACE}.svc.cluster.local`],
    ["one of a namespace that ends alike", `backend.x${NAMESPACE}.svc`],
  ])("%s", async (_, host) => {
    const chain = await leafWith(cluster, [`backend.${NAMESPACE}.svc`, host]);
    const [said] = await goSays([{ chain, host }]);
    expect(said).toContain("is not permitted by any constraint");
    expect(await opensslSays(chain)).toContain("permitted subtree violation");
  });
});

test("the authority of services of another engine names no Service at all", async () => {
  const host = `backend.${NAMESPACE}.svc`;
  const chain = await leafWith(authorities.issuers.services, ["backend.acme.trustkern.internal", host]);
  const [said] = await goSays([{ chain, host }]);
  expect(said).toContain("is not permitted by any constraint");
  expect(await opensslSays(chain)).toContain("permitted subtree violation");
});

test("Go takes just the names below the tenant's domain and the namespace's, whatever the name", async () => {
  const label = fc.oneof(
    fc.stringMatching(/^[a-z0-9]{1,8}$/),
    fc.constantFrom("svc", "default", "kubernetes", NAMESPACE, "acme", "trustkern", "internal"),
  );
  const ending = fc.constantFrom("svc", `${NAMESPACE}.svc`, "default.svc", "acme.trustkern.internal", "internal");
  const names = fc.tuple(fc.array(label, { minLength: 1, maxLength: 3 }), ending).map((all) => all.flat().join("."));
  const sample = [...new Set(fc.sample(names, 60))];
  const asked = await Promise.all(sample.map(async (host) => ({ chain: await leafWith(cluster, [host]), host })));
  const said = await goSays(asked);
  const excluded = /(?:^|\.)(?:gateways|operators|devices|gateways-ca|operators-ca)\.acme\.trustkern\.internal$/;
  const mine = (host: string): boolean =>
    [`.${NAMESPACE}.svc`, ".acme.trustkern.internal"].some((domain) => `.${host}`.endsWith(domain)) &&
    !excluded.test(host);
  expect(sample.filter((_, index) => said[index] === "")).toEqual(sample.filter(mine));
  expect(sample.some(mine) && !sample.every(mine)).toBe(true);
});
