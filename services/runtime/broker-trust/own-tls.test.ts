import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";
import { describeTls, readOwnTls } from "./own-tls.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-own-"));
const files = { caFile: join(folder, "ca"), certFile: join(folder, "cert"), keyFile: join(folder, "key") };
type Made = Awaited<ReturnType<typeof issueDeploymentCertificates>>;
let made: Made;
let foreign: Made;

const issue = () =>
  issueDeploymentCertificates({
    tenant: "acme",
    clock: () => new Date(),
    services: [{ name: "svc-broker" }, { name: "svc-other" }],
    gateways: [],
    operators: [],
  });
const leaf = (of: Made, name: string) => {
  const found = of.leaves.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

beforeAll(async () => {
  [made, foreign] = await Promise.all([issue(), issue()]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(parts: { readonly ca?: string; readonly cert?: string; readonly key?: string }) {
  const own = leaf(made, "svc-broker");
  writeFileSync(files.caFile, parts.ca ?? made.root.certPem);
  writeFileSync(files.certFile, parts.cert ?? own.certPem);
  writeFileSync(files.keyFile, parts.key ?? own.keyPem);
  return readOwnTls(files);
}

test("takes a certificate with its key whose chain ends at an anchor, among others too", () => {
  expect(read({}).cert).toBe(leaf(made, "svc-broker").certPem);
  expect(() => read({ ca: foreign.root.certPem + made.root.certPem })).not.toThrow();
});

test.each([
  ["the key of another certificate", () => ({ key: leaf(made, "svc-other").keyPem })],
  ["a key that is none", () => ({ key: "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n" })],
  ["an empty key", () => ({ key: "" })],
  ["half a certificate", () => ({ cert: leaf(made, "svc-broker").certPem.slice(0, 300) })],
  ["an empty certificate", () => ({ cert: "" })],
  ["a leaf without its authority", () => ({ cert: String(new X509Certificate(leaf(made, "svc-broker").certPem)) })],
  ["the anchors of a stranger of the same name", () => ({ ca: foreign.root.certPem })],
  ["no anchor", () => ({ ca: "" })],
])("refuses %s", (_, parts) => {
  expect(() => read(parts())).toThrow(expect.objectContaining({ code: "BROKER_PAIR_INVALID" }));
});

test("refuses a file that is away", () => {
  expect(() => readOwnTls({ ...files, keyFile: join(folder, "none") })).toThrow(
    expect.objectContaining({ code: "SERVICE_FILE_UNREADABLE" }),
  );
});

test("says what is in force, and no secret", () => {
  const tls = read({});
  const { raw, serialNumber } = new X509Certificate(tls.cert);
  const described = describeTls(tls);
  expect(described).toMatchObject({
    certificate: createHash("sha256").update(raw).digest("hex"),
    serial: serialNumber.toLowerCase(),
  });
  expect(described.anchors).toHaveLength(1);
  expect(JSON.stringify(described)).not.toContain("PRIVATE");
});
