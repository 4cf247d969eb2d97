import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { readCrl } from "../../certs/crl.ts";
import { normalSerial } from "../../certs/serial.ts";
import { fleetErrors } from "../../services/backend/fleet/errors.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { TestCeremony } from "../test-ceremony.ts";

const backend = vi.fn<OperatorClient>();
vi.mock("../../stacks/host/operator-client.ts", () => ({ operatorClient: async () => backend }));

const made = new TestCeremony();
const file = (name: string): string => made.file(name);
const issue = (name: string, output: string) => made.json("certs", "issue", name, "-o", output);
const serialIn = (name: string): string => normalSerial(new X509Certificate(readFileSync(file(name))).serialNumber);
const entries = (): readonly { kind: string; subject: string; serial: string }[] => {
  const ledger = readFileSync(join(made.dir, "authorities/ledger.ndjson"), "utf8");
  return ledger
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
};
const kindsOf = (name: string) => entries().flatMap(({ kind, subject }) => (subject === name ? [kind] : []));
const refusal = { exit: 5, error: { code: "GATEWAY_REVOKED" } };

/** What the backend has on record. */
let gateways: { name: string; state: string }[];
let certificates: { serial: string; issuer: string; state: string; reason: string | null }[];
let lists: readonly string[];

const record = (pem: string): void => {
  const serial = normalSerial(new X509Certificate(pem).serialNumber);
  const name = /CN=(gw-\S+)/.exec(new X509Certificate(pem).subject)?.[1];
  const revoked = gateways.some((each) => each.name === name && each.state === "revoked");
  certificates.push({ serial, issuer: "TrustKern gateways", state: revoked ? "revoked" : "issued", reason: null });
  if (revoked) throw fleetErrors.error("GATEWAY_REVOKED", "revoked");
};
const answers: OperatorClient = async (method, path, body) => {
  if (path.endsWith("/revoke")) for (const each of [...gateways, ...certificates]) each.state = "revoked";
  if (method === "POST" && path === "/v1/certificates") record((body as { chain_pem: string }).chain_pem);
  if (path === "/v1/crls") lists = (body as { crls: readonly string[] }).crls;
  if (method === "GET" && path === "/v1/gateways") return gateways.map((each) => ({ ...each }));
  return path === "/v1/certificates" ? certificates : {};
};

beforeAll(async () => {
  expect((await made.run(...made.argv)).exit).toBe(0);
  await made.deploy();
}, 120_000);
afterAll(() => made.remove());
beforeEach(() => {
  [gateways, certificates, lists] = [[], [], []];
  backend.mockReset();
  backend.mockImplementation(answers);
});
const away = (): unknown => backend.mockRejectedValue(hostErrors.error("SERVICE_FAILED", "nobody answers"));

test("a revoked gateway's certificates are revoked here too, listed, and the list is given out", async () => {
  expect(await issue("gw-07", "gw-07.pem")).toMatchObject({ exit: 0 });
  expect(await issue("gw-08", "gw-08.pem")).toMatchObject({ exit: 0 });
  gateways = [{ name: "gw-07", state: "active" }];
  certificates = certificates.filter(({ serial }) => serial === serialIn("gw-07.pem"));
  expect((await made.run("gateway", "revoke", "gw-07", "--yes")).exit).toBe(0);
  expect([kindsOf("gw-07"), kindsOf("gw-08")]).toEqual([["issued", "revoked"], ["issued"]]);
  const listed = lists.flatMap((pem) => readCrl(pem).revoked.map(({ serial }) => serial));
  expect(listed).toContain(serialIn("gw-07.pem"));
  expect(listed).not.toContain(serialIn("gw-08.pem"));
  await made.run("gateway", "revoke", "gw-07", "--yes");
  expect(kindsOf("gw-07")).toEqual(["issued", "revoked"]);
});

test("a gateway that was revoked from here gets no certificate, also while the backend is away", async () => {
  away();
  expect(await issue("gw-07", "again.pem")).toMatchObject(refusal);
  expect([existsSync(file("again.pem")), kindsOf("gw-07")]).toEqual([false, ["issued", "revoked"]]);
  expect(await issue("gw-10", "gw-10.pem")).toMatchObject({ exit: 0 });
});

test("nor does one that was revoked from elsewhere, as the backend says", async () => {
  gateways = [{ name: "gw-09", state: "revoked" }];
  expect(await issue("gw-09", "gw-09.pem")).toMatchObject(refusal);
  expect([existsSync(file("gw-09.pem")), kindsOf("gw-09")]).toEqual([false, []]);
});

test("nor one that is revoked meanwhile: what was made is revoked, listed, and not handed out", async () => {
  backend.mockImplementation(async (method, path, body) => {
    if (method === "POST" && path === "/v1/certificates") gateways = [{ name: "gw-11", state: "revoked" }];
    return answers(method, path, body);
  });
  expect(await issue("gw-11", "gw-11.pem")).toMatchObject(refusal);
  expect([existsSync(file("gw-11.pem")), kindsOf("gw-11")]).toEqual([false, ["issued", "revoked"]]);
  const [serial] = certificates.map((each) => each.serial);
  expect(lists.flatMap((pem) => readCrl(pem).revoked.map((each) => each.serial))).toContain(serial);
});

test("a backend decides about gateways' certificates alone", async () => {
  expect(await issue("op-ada", "op-ada.pem")).toMatchObject({ exit: 0 });
  certificates = [{ serial: serialIn("op-ada.pem"), issuer: "TrustKern operators", state: "revoked", reason: null }];
  certificates.push({ serial: "7f7f", issuer: "TrustKern gateways", state: "revoked", reason: null });
  expect((await made.run("device", "revoke", "0a1b2c3d", "--yes")).exit).toBe(0);
  expect(kindsOf("op-ada")).toEqual(["issued"]);
  expect(entries().some(({ serial }) => serial === "7f7f")).toBe(false);
});
