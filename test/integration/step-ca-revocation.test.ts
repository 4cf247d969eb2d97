import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueGatewayLeaf } from "../../certs/classes/leaf-gateway.ts";
import { issueCrl, readCrl, verifyCrl } from "../../certs/crl.ts";
import { fetchCrl, revokeCertificate } from "../../certs/step-ca/client.ts";
import { crlUrl } from "../../certs/step-ca/names.ts";
import { decimalSerial } from "../../certs/step-ca/tokens.ts";
import { runProgram } from "../support/run.ts";
import { strangersKey } from "./step-ca/forged.ts";
import { StepCaHarness } from "./step-ca/harness.ts";
import { backendToken, enrol, operatorLeaf } from "./step-ca/requests.ts";

const DAY_MS = 86_400_000;
const ca = new StepCaHarness();
beforeAll(() => ca.start(), 600_000);
afterAll(() => ca.stop());

const serialOf = (certPem: string): string => new X509Certificate(certPem).serialNumber.toLowerCase();
const online = () => ca.endpoint("gateways");
const current = async () => readCrl(await fetchCrl(online()));

async function revoke(serial: string, more: object = {}): Promise<void> {
  const token = await backendToken(ca, "revoke", decimalSerial(serial), more);
  await revokeCertificate(online(), { token, serial, reason: "keyCompromise" });
}

/** What openssl says of a chain, with the CRLs of its issuer and of the root. */
async function openssl(chainPem: string, crlPem: string): Promise<string> {
  const [leaf, rest, trust, crls] = ["leaf.pem", "rest.pem", "trust.pem", "crls.pem"].map((name) =>
    join(ca.folder, name),
  );
  const { pem: rootCrl } = await issueCrl(ca.authority("root"), { number: 1n, revoked: [], now: new Date() });
  writeFileSync(leaf ?? "", chainPem);
  writeFileSync(rest ?? "", ca.authority("gateways").certPem);
  writeFileSync(trust ?? "", ca.rootPem);
  writeFileSync(crls ?? "", crlPem + rootCrl);
  const files = ["-CAfile", trust, "-untrusted", rest, "-CRLfile", crls, leaf] as string[];
  const ended = await runProgram("openssl", [
    "verify",
    "-x509_strict",
    "-crl_check_all",
    "-purpose",
    "sslclient",
    ...files,
  ]);
  return ended.code === 0 ? "OK" : ended.stderr;
}

describe("the CRL of an online authority", () => {
  test("is complete, for 7 days, and of the class's own key", async () => {
    const pem = await fetchCrl(online());
    const issuerPem = ca.authority("gateways").certPem;
    expect(verifyCrl({ pem, issuerPem, now: new Date() })).toEqual([]);
    const { nextUpdate } = readCrl(pem);
    expect(nextUpdate.getTime() - Date.now()).toBeGreaterThan(6.9 * DAY_MS);
    expect(pem.replaceAll("\n", "")).not.toBe("");
    const [, base64 = ""] = /-----\n([\s\S]+)\n-----END/.exec(pem) ?? [];
    expect(Buffer.from(base64, "base64").includes(crlUrl("gateways", "acme"))).toBe(true);
  });

  test("lists what it revoked at once, and openssl refuses that and nothing else", async () => {
    const [one, other] = [await enrol(ca), await enrol(ca)];
    const before = await current();
    expect(await openssl(one.certPem, await fetchCrl(online()))).toBe("OK");
    await revoke(serialOf(one.certPem));
    const pem = await fetchCrl(online());
    expect(readCrl(pem).number > before.number).toBe(true);
    expect(readCrl(pem).revoked).toContainEqual(expect.objectContaining({ serial: serialOf(one.certPem) }));
    expect(await openssl(one.certPem, pem)).toMatch(/certificate revoked/);
    expect(await openssl(other.certPem, pem)).toBe("OK");
  });

  test("is one for what the host issued too, which names the same distribution point", async () => {
    const leaf = await issueGatewayLeaf(ca.authority("gateways"), { name: "gw-01", now: new Date() });
    expect(await openssl(leaf.certPem, await fetchCrl(online()))).toBe("OK");
    await revoke(serialOf(leaf.certPem));
    expect(await openssl(leaf.certPem, await fetchCrl(online()))).toMatch(/certificate revoked/);
  });

  test("stays, with a number that grows, when the authority starts again, and after kill -9", async () => {
    const { certPem } = await enrol(ca);
    await revoke(serialOf(certPem));
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const before = await current();
      await ca.end("gateways", signal);
      await ca.run("gateways");
      const after = await current();
      expect(after.number > before.number).toBe(true);
      expect(after.revoked.map(({ serial }) => serial)).toEqual(
        expect.arrayContaining(before.revoked.map(({ serial }) => serial)),
      );
    }
  });

  test("has a revocation once, also where it is asked for twice", async () => {
    const serial = serialOf((await enrol(ca)).certPem);
    await revoke(serial);
    await revoke(serial);
    expect((await current()).revoked.filter((each) => each.serial === serial)).toHaveLength(1);
  });

  test("of operators takes revocations of the backend, which can sign nothing there", async () => {
    const serial = serialOf(await operatorLeaf(ca, "op-admin"));
    const { servername } = ca.endpoint("operators");
    const token = await backendToken(ca, "revoke", decimalSerial(serial), { servername });
    await revokeCertificate(ca.endpoint("operators"), { token, serial, reason: "superseded" });
    expect(readCrl(await fetchCrl(ca.endpoint("operators"))).revoked).toContainEqual(
      expect.objectContaining({ serial }),
    );
  });
});

describe("a revocation is refused", () => {
  const serial = "00aa".repeat(8);
  test.each([
    ["with a stranger's key", () => revoke(serial, { keyPem: strangersKey() })],
    ["with a token that signs", () => revoke(serial, { use: "sign" })],
    ["with a token for another serial number", () => revoke(serial, { subject: "1" })],
    [
      "with a token for the other authority",
      () => revoke(serial, { servername: "operators-ca.acme.trustkern.internal" }),
    ],
    ["with an old token", () => revoke(serial, { now: new Date(Date.now() - DAY_MS) })],
    ["with a token of another provisioner's name", () => revoke(serial, { provisioner: "operators" })],
  ])("%s", async (_, misuse) => {
    const before = await current();
    await expect(misuse()).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
    expect((await current()).number).toBe(before.number);
  });
});
