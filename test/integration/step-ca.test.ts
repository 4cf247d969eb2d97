import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { issueGatewayLeaf } from "../../certs/classes/leaf-gateway.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { fetchCrl, signCsr } from "../../certs/step-ca/client.ts";
import { crlUrl } from "../../certs/step-ca/names.ts";
import { askStepCa } from "../../certs/step-ca/transport.ts";
import { verifyChain } from "../../certs/verify-chain.ts";
import { writePrivate } from "../../stacks/host/files.ts";
import { StepCaHarness } from "./step-ca/harness.ts";
import { backendToken, device, enrol, operatorLeaf, requestFor } from "./step-ca/requests.ts";
import { allowed } from "./step-ca/webhook.ts";

const DAY_MS = 86_400_000;
const ca = new StepCaHarness();
beforeAll(() => ca.start(), 600_000);
afterAll(() => ca.stop());
afterEach(() => {
  ca.webhook.answer = allowed;
});

const verified = (chainPem: string) =>
  verifyChain({ chainPem, rootPem: ca.rootPem, at: new Date(), purpose: "client" });

/** One request with a client's certificate. */
function post(path: string, as: CertifiedKey, body: unknown): Promise<number> {
  const { host, port, servername } = ca.endpoint("gateways");
  return new Promise((resolve, reject) => {
    const tls = { ca: ca.rootPem, cert: as.certPem, key: as.keyPem, servername, agent: false };
    const call = request({ host, port, path, method: "POST", ...tls }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

describe("an online authority serves", () => {
  test.each(["gateways", "operators"] as const)(
    "%s: its health, by its name and at the loopback address",
    async (each) => {
      expect(await ca.health(each)).toMatchObject({ code: 0, stdout: "ok\n" });
      expect((await askStepCa(ca.endpoint(each), "/health")).status).toBe(200);
    },
  );

  test("nothing under another root or another name", async () => {
    const other = { ...ca.endpoint("gateways"), rootPem: (await ca.service("backend")).certPem };
    await expect(askStepCa(other, "/health")).rejects.toMatchObject({ code: "STEP_CA_UNREACHABLE" });
    const servername = "backend.acme.trustkern.internal";
    await expect(askStepCa({ ...ca.endpoint("gateways"), servername }, "/health")).rejects.toMatchObject({
      code: "STEP_CA_UNREACHABLE",
    });
  });

  test("no interface for administrators, no ACME, no SCEP and no SSH", async () => {
    const paths = ["/admin/provisioners", "/1.0/ssh/roots", "/acme/gateways/directory", "/scep/gateways"];
    const statuses = [];
    for (const path of paths) statuses.push((await askStepCa(ca.endpoint("gateways"), path)).status);
    expect(statuses).toEqual([404, 404, 404, 404]);
  });

  test.each(["/1.0/renew", "/1.0/rekey"])(
    "no renewal by %s: of what it issued, of what the host issued, of a service or a device",
    async (path) => {
      const { csrPem } = await requestFor("gw-01");
      const host = await issueGatewayLeaf(ca.authority("gateways"), { name: "gw-01", now: new Date() });
      const made = await device(ca.authority("sensirio"));
      const statuses = [];
      for (const as of [await enrol(ca), host, await ca.service("backend"), made])
        statuses.push(await post(path, as, { csr: csrPem }));
      expect(statuses).toEqual([403, 403, 403, 403]);
    },
  );
});

describe("enrolment", () => {
  test("gives a device of a known maker what the backend answers, for 90 days", async () => {
    const serial = "3f00112233445566778899aabbccddee";
    ca.webhook.answer = () => ({ body: { allow: true, data: { name: "gw-01", serial, verdict: "x" } } });
    const { certPem } = await enrol(ca);
    const leaf = new X509Certificate(certPem);
    // Mosquitto takes the whole subject for the name, so the order counts.
    expect(leaf.subject).toBe("O=acme\nOU=gateways\nCN=gw-01");
    expect(leaf.subjectAltName).toBe("DNS:gw-01.gateways.acme.trustkern.internal");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(leaf.serialNumber.toLowerCase()).toBe(serial);
    expect(leaf.ca).toBe(false);
    expect(Math.round((leaf.validToDate.getTime() - Date.now()) / DAY_MS)).toBe(90);
    expect(verified(certPem)).toEqual([]);
    expect(Buffer.from(leaf.raw).includes(crlUrl("gateways", "acme"))).toBe(true);
  });

  test("tells the backend who vouches and for which key, and the backend knows whose webhook it is", async () => {
    const by = await device(ca.authority("sensirio"));
    const made = await requestFor("gw-01");
    ca.webhook.asked.length = 0;
    await enrol(ca, { by, request: made });
    const [asked] = ca.webhook.asked;
    expect(asked).toMatchObject({ path: "/v1/enrolment/gateways", peer: "gateways", protocol: "TLSv1.3" });
    expect(asked?.headers["x-smallstep-webhook-id"]).toBe("makers");
    expect(Math.abs(Date.parse(asked?.body.timestamp) - Date.now())).toBeLessThan(10_000);
    const raw = Buffer.from(asked?.body.x509CertificateRequest.raw, "base64").toString("base64");
    expect(made.csrPem.replaceAll("\n", "")).toContain(raw);
    const shown = Buffer.from(asked?.body.x5cCertificate.raw, "base64");
    expect(shown.equals(new X509Certificate(by.certPem).raw)).toBe(true);
  });

  test("gives the backend what it vouches for with its own key, also for longer than its own certificate lives", async () => {
    const { csrPem } = await requestFor("gw-02");
    const token = await backendToken(ca, "sign", "gw-02", { csrPem });
    const chain = await signCsr(ca.endpoint("gateways"), { token, csrPem });
    expect(verified(chain)).toEqual([]);
    expect(ca.webhook.asked.at(-1)?.headers["x-smallstep-webhook-id"]).toBe("backend");
    expect(ca.webhook.asked.at(-1)?.body.x5cCertificate).toBeUndefined();
    expect(new X509Certificate(chain).validToDate.getTime() - Date.now()).toBeGreaterThan(60 * DAY_MS);
  });

  test("gives an operator a certificate for an hour", async () => {
    const certPem = await operatorLeaf(ca, "op-admin");
    const leaf = new X509Certificate(certPem);
    expect(leaf.subject).toBe("O=acme\nOU=operators\nCN=op-admin");
    expect(leaf.validToDate.getTime() - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect(verified(certPem)).toEqual([]);
    expect(ca.webhook.asked.at(-1)).toMatchObject({ path: "/v1/enrolment/operators", peer: "operators" });
  });

  test("asks again after a failure of the backend, with the same body", async () => {
    const bodies: unknown[] = [];
    ca.webhook.answer = (asked) => {
      bodies.push(asked.body);
      return bodies.length === 1 ? { status: 503, body: {} } : allowed(asked);
    };
    await enrol(ca);
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toEqual(bodies[1]);
  });

  test("takes up a new maker at SIGHUP, without the connections of others noticing", async () => {
    const other = ca.authority("other");
    const by = await device(other, "other");
    await expect(enrol(ca, { by })).rejects.toMatchObject({ code: "STEP_CA_REFUSED", path: "token" });
    writePrivate(`${ca.authoritiesDir}/makers/other.crt`, other.certPem);
    await ca.fill();
    ca.signal("gateways", "SIGHUP");
    for (let left = 50; left > 0; left -= 1) {
      const done = await enrol(ca, { by }).catch(() => undefined);
      if (done !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the new maker is not known: ${ca.log.slice(-2000)}`);
  });

  test("publishes a CRL of either class", async () => {
    for (const each of ["gateways", "operators"] as const) {
      expect(await fetchCrl(ca.endpoint(each))).toMatch(/^-----BEGIN X509 CRL-----/);
    }
  });
});
