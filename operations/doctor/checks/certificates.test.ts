import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";
import { thisMachine } from "../this-machine.ts";
import { type CertificateFacts, gatherCertificates, judgeCertificates } from "./certificates.ts";

const DAY = 86_400_000;
const MADE = new Date("2026-01-01T00:00:00Z");
const machine = thisMachine({}, new AbortController().signal);
let dir: string;
let facts: readonly CertificateFacts[];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "tk-doctor-"));
  const made = await issueDeploymentCertificates({
    tenant: "acme",
    clock: () => MADE,
    services: [{ name: "svc-broker", dnsNames: ["broker.acme.trustkern.internal"], ipAddresses: [] }],
    gateways: [],
    operators: [],
  });
  mkdirSync(join(dir, "authorities"));
  mkdirSync(join(dir, "secrets/broker"), { recursive: true });
  writeFileSync(join(dir, "authorities/root.crt"), made.root.certPem);
  writeFileSync(join(dir, "secrets/broker/ca.crt"), made.root.certPem);
  writeFileSync(join(dir, "secrets/broker/tls.crt"), made.leaves[0]?.certPem ?? "");
  writeFileSync(join(dir, "secrets/broker/tls.key"), made.leaves[0]?.keyPem ?? "");
  facts = gatherCertificates(machine, dir);
});
afterAll(() => rmSync(dir, { recursive: true }));

const codesAt = (days: number) =>
  judgeCertificates(facts, new Date(MADE.getTime() + days * DAY)).map(({ level, code = "" }) =>
    `${level} ${code}`.trim(),
  );
const lasting = (days: number): CertificateFacts => ({
  file: "f.crt",
  name: "n",
  isAuthority: true,
  notBefore: MADE,
  notAfter: new Date(MADE.getTime() + days * DAY),
});
const levelAt = (life: number, day: number) =>
  judgeCertificates([lasting(life)], new Date(MADE.getTime() + day * DAY)).map(({ level }) => level);

it("finds each certificate once: root, issuer and leaf", () => {
  expect(facts.map((one) => ("name" in one ? one.name : one.error))).toHaveLength(3);
});

it("is well in the first two thirds of a leaf", () => {
  expect(codesAt(19)).toEqual(["ok"]);
});

it("warns in the last third of a leaf, and not of its authorities", () => {
  expect(codesAt(21)).toEqual(["warning DOCTOR_CERTIFICATE_ENDING"]);
  expect(codesAt(23.9)).toEqual(["warning DOCTOR_CERTIFICATE_ENDING"]);
});

it("says that a leaf's renewal is overdue from a fifth of its life on, with the command for it", () => {
  expect(codesAt(24.1)).toEqual(["warning DOCTOR_RENEWAL_OVERDUE"]);
  const [finding] = judgeCertificates(facts, new Date(MADE.getTime() + 29.5 * DAY));
  expect(finding).toMatchObject({ code: "DOCTOR_RENEWAL_OVERDUE", fix: expect.stringContaining("certs renew") });
});

it.each([
  ["TrustKern gateways", "certs rotate --what intermediate:gateways"],
  ["TrustKern root", "certs rotate --what root"],
  ["TrustKern maker acme", "certs maker add"],
])("names the rotation that replaces %s", (name, command) => {
  for (const day of [3621, 3651]) {
    const [finding] = judgeCertificates(
      [{ ...lasting(3650), name } as CertificateFacts],
      new Date(MADE.getTime() + day * DAY),
    );
    expect(finding?.fix).toContain(command);
  }
});

it("is a problem once a leaf has ended, and from the very moment on", () => {
  expect(codesAt(30)).toEqual(["problem DOCTOR_CERTIFICATE_EXPIRED"]);
  expect(levelAt(1, 1)).toEqual(["problem"]);
});

it("is a problem before the first day", () => {
  expect(new Set(codesAt(-1))).toEqual(new Set(["problem DOCTOR_CERTIFICATE_EARLY"]));
});

it("warns of an authority in its last thirty days, and of a short one in its last third", () => {
  expect(levelAt(3650, 3619)).toEqual(["ok"]);
  expect(levelAt(3650, 3621)).toEqual(["warning"]);
  expect(levelAt(3, 1.9)).toEqual(["ok"]);
  expect(levelAt(3, 2.1)).toEqual(["warning"]);
});

it("is a problem where a file holds none, or half of one", () => {
  for (const text of ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
    writeFileSync(join(dir, "secrets/broker/bad.crt"), text);
    const findings = judgeCertificates(gatherCertificates(machine, dir), MADE);
    expect(findings.map(({ code }) => code)).toEqual(["DOCTOR_CERTIFICATE_UNREADABLE"]);
  }
});

it("says what it may not read, and prints no key", () => {
  const findings = judgeCertificates([{ file: "tls.crt", error: "unreadable" }], MADE);
  expect(findings.map(({ code }) => code)).toEqual(["DOCTOR_NOT_CHECKED"]);
  expect(JSON.stringify(judgeCertificates(facts, MADE))).not.toContain("PRIVATE");
});

it("says that there is none yet", () => {
  expect(judgeCertificates(gatherCertificates(machine, join(dir, "none")), MADE).map(({ level }) => level)).toEqual([
    "ok",
  ]);
});
