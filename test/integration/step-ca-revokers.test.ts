import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCrl } from "../../certs/crl.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import type { OnlineClass } from "../../certs/names.ts";
import { fetchCrl, revokeCertificate } from "../../certs/step-ca/client.ts";
import { PROVISIONERS } from "../../certs/step-ca/names.ts";
import { decimalSerial, x5cToken } from "../../certs/step-ca/tokens.ts";
import { forgedLeaf } from "./step-ca/forged.ts";
import { StepCaHarness } from "./step-ca/harness.ts";
import {
  backendToken,
  device,
  enrol,
  operatorLeaf,
  operatorsToken,
  requestFor,
  vouchedLeaf,
} from "./step-ca/requests.ts";

const ca = new StepCaHarness();
beforeAll(() => ca.start(), 600_000);
afterAll(() => ca.stop());

const serialOf = (certPem: string): string => new X509Certificate(certPem).serialNumber.toLowerCase();
const listed = async (leafClass: OnlineClass = "gateways") => readCrl(await fetchCrl(ca.endpoint(leafClass)));

/** Asks for a revocation with a client certificate and no token; the HTTP status. */
function revokeByTls(by: CertifiedKey, serial: string): Promise<number> {
  return askByTls(by, "/1.0/revoke", {
    serial: decimalSerial(serial),
    reasonCode: 1,
    reason: "keyCompromise",
    passive: true,
  });
}

function askByTls({ certPem: cert, keyPem: key }: CertifiedKey, path: string, body: object): Promise<number> {
  const { host, port, servername, rootPem } = ca.endpoint("gateways");
  const tls = { ca: rootPem, servername, cert, key, agent: false } as const;
  return new Promise((resolve, reject) => {
    const call = request({ host, port, path, method: "POST", ...tls }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

/** A revocation that a made device asks for with its own certificate. */
async function revokeByDevice(serial: string, by: CertifiedKey): Promise<void> {
  const token = await x5cToken({
    provisioner: PROVISIONERS.makers,
    keyPem: by.keyPem,
    chainPem: by.certPem,
    servername: ca.endpoint("gateways").servername,
    use: "revoke",
    subject: decimalSerial(serial),
    now: new Date(),
  });
  await revokeCertificate(ca.endpoint("gateways"), { token, serial, reason: "keyCompromise" });
}

const made = () => device(ca.authority("sensirio"));
/** A chain that a client shows: its own certificate, and that of its maker. */
const withMaker = ({ certPem, keyPem }: CertifiedKey): CertifiedKey => ({
  certPem: certPem + ca.authority("sensirio").certPem,
  keyPem,
});

describe("nobody renews without the backend", () => {
  test.each(["/1.0/renew", "/1.0/rekey"])(
    "by %s, with a device certificate that names no provisioner either",
    async (path) => {
      const { csrPem } = await requestFor("TK 100");
      const plain = withMaker(await forgedLeaf(ca.authority("sensirio")));
      expect(await askByTls(plain, path, { csr: csrPem })).toBe(403);
    },
  );
});

describe("nobody but the backend revokes", () => {
  test.each([
    ["a gateway of others", async () => serialOf((await enrol(ca)).certPem)],
    ["a gateway that the backend vouched for", async () => serialOf(await vouchedLeaf(ca, "gw-01"))],
    ["a number that nobody has", async () => "00aa".repeat(8)],
  ])("a made device cannot revoke %s", async (_, serial) => {
    const before = await listed();
    const refused = { code: "STEP_CA_REFUSED", path: "revoker" };
    await expect(revokeByDevice(await serial(), await made())).rejects.toMatchObject(refused);
    expect((await listed()).number).toBe(before.number);
  });

  test("a made device cannot revoke what it enrolled for itself", async () => {
    const by = await made();
    const { certPem } = await enrol(ca, { by });
    await expect(revokeByDevice(serialOf(certPem), by)).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
  });

  test("a certificate does not revoke itself, where its holder could be a thief who covers traces", async () => {
    const own = await enrol(ca);
    const before = await listed();
    expect(await revokeByTls(own, serialOf(own.certPem))).toBe(403);
    expect((await listed()).number).toBe(before.number);
  });

  test("a maker cannot revoke a gateway by a device certificate of the same serial number", async () => {
    const serial = serialOf((await enrol(ca)).certPem);
    const twin = await forgedLeaf(ca.authority("sensirio"), { serial });
    expect(serialOf(twin.certPem)).toBe(serial);
    const before = await listed();
    expect(await revokeByTls(withMaker(twin), serial)).toBe(403);
    expect((await listed()).number).toBe(before.number);
  });

  test("the operators' key makes certificates and takes none back", async () => {
    const serial = serialOf(await operatorLeaf(ca, "op-admin"));
    const token = await operatorsToken(ca, { use: "revoke", subject: decimalSerial(serial) });
    const before = await listed("operators");
    const asked = revokeCertificate(ca.endpoint("operators"), { token, serial, reason: "superseded" });
    await expect(asked).rejects.toMatchObject({ code: "STEP_CA_REFUSED", path: "revoker" });
    expect((await listed("operators")).number).toBe(before.number);
  });

  test("also after the authority has read its configuration again, and the backend still can", async () => {
    const serial = serialOf((await enrol(ca)).certPem);
    ca.signal("gateways", "SIGHUP");
    await ca.healthy("gateways");
    await expect(revokeByDevice(serial, await made())).rejects.toMatchObject({ path: "revoker" });
    const token = await backendToken(ca, "revoke", decimalSerial(serial));
    await revokeCertificate(ca.endpoint("gateways"), { token, serial, reason: "keyCompromise" });
    expect((await listed()).revoked).toContainEqual(expect.objectContaining({ serial }));
  });
});
