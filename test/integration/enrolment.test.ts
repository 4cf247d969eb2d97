import { createPrivateKey, createPublicKey, webcrypto, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCrl } from "../../certs/crl.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { P256 } from "../../certs/keys.ts";
import { verifyLedger } from "../../certs/ledger/verify.ts";
import { fetchCrl } from "../../certs/step-ca/client.ts";
import { verifyChain } from "../../certs/verify-chain.ts";
import { x509 } from "../../certs/x509.ts";
import { fleetInventory } from "../../cli/commands/certs-fleet.ts";
import { deviceRequest } from "../../services/gateway/identity/certificate-request.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { StepCaHarness } from "./step-ca/harness.ts";
import { RealBackend, recordOfDevice } from "./step-ca/real-backend.ts";
import { backendToken, device, enrol, operatorLeaf, type Request, requestFor } from "./step-ca/requests.ts";

/** The two real step-cas and the real backend, which each other's word decides. */
const ca = new StepCaHarness();
let backend: RealBackend;
let made: CertifiedKey;

beforeAll(async () => {
  await ca.start();
  made = await device(ca.authority("sensirio"));
  backend = await RealBackend.start(ca);
}, 600_000);
afterAll(async () => {
  backend.stop();
  await ca.stop();
});

/** What `certs list --fleet` says of a certificate; undefined where it does not have it. */
async function stateInList(serial: string): Promise<string | undefined> {
  const ask: OperatorClient = async (method, path, body) => (await call(method, path, body)).body;
  const { rows } = await fleetInventory({ tenant: "acme", operator: async () => ask }, new Date());
  return rows.find((row) => row.serial === serial)?.state;
}

/** A request for a certificate of the key that the device was made with. */
async function ownRequest(by: CertifiedKey, name: string): Promise<Request> {
  const key = createPrivateKey(by.keyPem);
  const der = { format: "der", type: "pkcs8" } as const;
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([{ CN: [name] }]),
    keys: {
      privateKey: await webcrypto.subtle.importKey("pkcs8", key.export(der), P256, true, ["sign"]),
      publicKey: await webcrypto.subtle.importKey("spki", spki, P256, true, ["verify"]),
    },
    signingAlgorithm: { ...P256, hash: "SHA-256" },
  });
  return { csrPem: `${csr.toString("pem")}\n`, keyPem: by.keyPem };
}

const call: RealBackend["call"] = (...request) => backend.call(...request);
const recordOf = (by: CertifiedKey, maker = "sensirio", signedBy = "sensirio") =>
  recordOfDevice(ca, by, maker, signedBy);
const enrolMade = async (name = "gw-01", by = made): Promise<CertifiedKey> =>
  enrol(ca, { by, subject: name, request: await ownRequest(by, name) });
/** What the broker is told of revocations. */
interface BrokerTrust {
  readonly ended: readonly { readonly name: string }[];
  readonly crls: readonly { readonly pem: string }[];
}

const refusal = (code: string) => expect.objectContaining({ code: "STEP_CA_REFUSED", path: code });
const serialOf = (pem: string): string => new x509.X509Certificate(pem).serialNumber.replace(/^0+/, "");

describe("a gateway that enrols at the real step-ca, which asks the real backend", () => {
  it("is refused before its maker has put it on record, and before it has a name", async () => {
    await expect(enrolMade()).rejects.toEqual(refusal("unknown-device"));
    expect(
      await call("POST", "/v1/device-records", { record: await recordOf(made, "sensirio", "other") }),
    ).toMatchObject({
      status: 403,
    });
    expect(await call("POST", "/v1/device-records", { record: await recordOf(made) })).toMatchObject({ status: 200 });
    await expect(enrolMade()).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
    expect(await call("PUT", "/v1/gateways/gw-01", { hardware_id: "0a1b2c3d" })).toMatchObject({ status: 200 });
  });

  it("is refused under another name, with another key, and as another device of its maker", async () => {
    await expect(enrolMade("gw-02")).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
    await expect(enrol(ca, { by: made, request: await requestFor("gw-01") })).rejects.toMatchObject({
      code: "STEP_CA_REFUSED",
    });
    await expect(enrolMade("gw-01", await device(ca.authority("sensirio")))).rejects.toMatchObject({
      code: "STEP_CA_REFUSED",
    });
    expect(backend.log).toContain("ENROLMENT_REFUSED");
  });

  it("gets its certificate once, and what it is in the ledger before it is made", async () => {
    const { certPem } = await enrolMade();
    expect(verifyChain({ chainPem: certPem, rootPem: ca.rootPem, at: new Date(), purpose: "client" })).toEqual([]);
    await expect(enrolMade()).rejects.toEqual(refusal("already-enrolled"));
    const { body } = (await call("GET", "/v1/audit")) as { body: { ledger: string; head: string } };
    const publicKey = createPublicKey(createPrivateKey(ca.secret("backend", "signing.key")));
    expect(await verifyLedger({ text: body.ledger, head: body.head, publicKey })).toEqual([]);
    expect(body.ledger).toContain(serialOf(certPem));
  });

  it("is in step-ca's own list, and in what the broker is told, once it is revoked", async () => {
    await call("POST", "/v1/gateways/gw-01/allow-again");
    const { certPem } = await enrolMade();
    const serial = serialOf(certPem);
    expect(await stateInList(serial)).toBe("ok");
    expect(await call("POST", `/v1/certificates/${serial}/revoke`, { reason: "keyCompromise" })).toMatchObject({
      status: 200,
    });
    const listed = async (): Promise<readonly string[]> =>
      readCrl(await fetchCrl(ca.endpoint("gateways"))).revoked.map((each) => each.serial);
    await expect.poll(listed, { timeout: 30_000 }).toContain(serial);
    expect(await stateInList(serial)).toBe("revoked");
    const told = async () => (await call("GET", "/v1/broker/trust")).body as BrokerTrust;
    expect((await told()).ended.map(({ name }) => name)).toContain("gw-01");
    const known = async () => (await told()).crls.flatMap(({ pem }) => readCrl(pem).revoked.map((each) => each.serial));
    await expect.poll(known, { timeout: 30_000 }).toContain(serial);
  });

  it("renews with its own key once it is told to, and with no other", async () => {
    await call("POST", "/v1/gateways/gw-01/allow-again");
    const held = await enrolMade();
    // What a gateway does that has no token yet.
    expect(await call("GET", "/v1/gateway/allowlist", undefined, { who: held })).toMatchObject({ status: 403 });
    const body = { certificate_serial: serialOf(held.certPem) };
    const issued = (await call("POST", "/v1/gateways/gw-01/tokens", body)) as { body: { token: string } };
    const trust = { anchors: [ca.rootPem], broker_pins: ["ab".repeat(32)], gateway_authorities: ["cd".repeat(32)] };
    const renew = async (csr: string) => {
      const { token } = issued.body;
      return call("POST", "/v1/gateway/certificate", { csr }, { who: held, token });
    };
    const own = await deviceRequest("gw-01", made.keyPem);
    expect(await renew(own.csr)).toMatchObject({ status: 409, body: { error: { code: "RENEWAL_EARLY" } } });
    expect(await call("PUT", "/v1/trust", trust)).toMatchObject({ status: 200 });
    const { csrPem } = await requestFor("gw-01");
    expect(await renew(csrPem)).toMatchObject({ status: 409, body: { error: { code: "DENIED_FOREIGN_NAME" } } });
    const { status, body: renewed } = (await renew(own.csr)) as {
      readonly status: number;
      readonly body: { readonly chain: string };
    };
    expect(status, JSON.stringify(renewed)).toBe(200);
    expect(new X509Certificate(renewed.chain).checkPrivateKey(createPrivateKey(made.keyPem))).toBe(true);
    expect(serialOf(renewed.chain)).not.toBe(serialOf(held.certPem));
  });
});

describe("what else asks for a certificate", () => {
  it("an operator whom the deployment knows gets one for an hour, and nobody else", async () => {
    const certificate = new x509.X509Certificate(await operatorLeaf(ca, "op-admin"));
    expect(certificate.notAfter.getTime() - Date.now()).toBeLessThanOrEqual(3_660_000);
    await expect(operatorLeaf(ca, "op-eve")).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
  });

  it("the backend's own token does not get a gateway a certificate that enrolment would refuse", async () => {
    const { csrPem } = await requestFor("gw-02");
    const token = await backendToken(ca, "sign", "gw-02", { csrPem });
    await expect(enrol(ca, { token, request: { csrPem, keyPem: "" } })).rejects.toMatchObject({
      code: "STEP_CA_REFUSED",
    });
  });
});
