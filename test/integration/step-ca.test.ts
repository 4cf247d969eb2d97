import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueDeploymentCertificates } from "../../certs/deployment.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { peerName } from "../../certs/peer-name.ts";
import { writePrivate } from "../../stacks/host/files.ts";
import { request, StepCaHarness } from "./step-ca/harness.ts";

const DAY_MS = 86_400_000;
const ca = new StepCaHarness();
beforeAll(() => ca.start(), 600_000);
afterAll(() => ca.stop());

const vouched = async (name: string) => ca.sign(await ca.token(ca.leaf("backend"), name), name);

/** Name that a server of ours gives to who connects with that certificate, or why it refuses. */
async function seenAs(client: CertifiedKey): Promise<string | null> {
  const { certPem, keyPem } = ca.leaf("broker");
  const root = ca.secret("step-ca", "ca.crt");
  const options = { cert: certPem, key: keyPem, ca: root, requestCert: true, minVersion: "TLSv1.3" } as const;
  const server = createServer({ ...options, rejectUnauthorized: false });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const socket = connect({ port, host: "127.0.0.1", ca: root, cert: client.certPem, key: client.keyPem });
  socket.on("error", () => undefined);
  const [peer] = await accepted;
  const seen = peer.authorized ? peerName(peer.getPeerCertificate().subject) : String(peer.authorizationError);
  socket.destroy();
  peer.destroy();
  server.close();
  return seen;
}

describe("step-ca serves", () => {
  test("its health over TLS 1.3, verified against the deployment's root, by its name and at the loopback address", async () => {
    expect(await ca.health()).toMatchObject({ code: 0, stdout: "ok\n" });
    expect(await ca.ask("/health")).toMatchObject({ status: 200, protocol: "TLSv1.3" });
  });

  test("no TLS 1.2", async () => {
    await expect(ca.ask("/health", { maxVersion: "TLSv1.2" })).rejects.toThrow("alert protocol version");
  });

  test("nothing that another root or another name would verify", async () => {
    const other = await issueDeploymentCertificates({
      tenant: ca.tenant,
      clock: () => new Date(),
      services: [],
      gateways: [],
      operators: [],
    });
    await expect(ca.ask("/health", { ca: other.root.certPem })).rejects.toMatchObject({
      code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    });
    await expect(ca.ask("/health", { servername: "backend.acme.trustkern.internal" })).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  });

  test("no interface for administrators, no ACME and no SSH", async () => {
    const paths = ["/admin/provisioners", "/1.0/ssh/roots", "/acme/gateways/directory", "/scep/gateways"];
    const statuses = [];
    for (const path of paths) statuses.push((await ca.ask(path, { as: ca.leaf("backend") })).status);
    // The paths of ACME are there, but no provisioner that answers at them.
    expect(statuses).toEqual([404, 404, 401, 404]);
  });
});

describe("step-ca issues", () => {
  test("a gateway's certificate for a day to whom the backend vouches for, and our servers know it", async () => {
    const { status, leaf } = await vouched("gw-01");
    expect(status).toBe(201);
    const certificate = new X509Certificate(leaf.certPem);
    // Mosquitto takes the whole subject for the name, so the order counts.
    expect(certificate.subject).toBe("O=acme\nOU=gateways\nCN=gw-01");
    expect(certificate.subjectAltName).toBe("DNS:gw-01.gateways.acme.trustkern.internal");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(certificate.ca).toBe(false);
    expect(certificate.validToDate.getTime() - Date.now()).toBeLessThanOrEqual(DAY_MS);
    expect(await seenAs(leaf)).toBe("gw-01");
  });

  test.each([
    ["collector", 400],
    ["broker", 400],
    ["gw-01", 401],
    ["op-admin", 401],
  ])("nothing that %s vouches for", async (component, status) => {
    expect(await ca.sign(await ca.token(ca.leaf(component), "gw-01"), "gw-01")).toMatchObject({ status });
  });

  test("nothing that a gateway vouches for with what step-ca issued, not even its own name", async () => {
    const { leaf } = await vouched("gw-02");
    expect((await ca.sign(await ca.token(leaf, "gw-02"), "gw-02")).status).toBe(401);
  });

  test("nothing that a server's certificate vouches for, which is no client's", async () => {
    expect((await ca.sign(await ca.token(ca.leaf("gw-01", "metrics"), "gw-01"), "gw-01")).status).toBe(401);
  });

  test("nothing that the backend of another deployment vouches for, although all names are the same", async () => {
    const { leaves } = await issueDeploymentCertificates({
      tenant: ca.tenant,
      clock: () => new Date(),
      services: [{ name: "svc-backend" }],
      gateways: [],
      operators: [],
    });
    expect((await ca.sign(await ca.token(leaves[0]!, "gw-01"), "gw-01")).status).toBe(401);
  });

  test.each([
    "gw-03",
    "gw-01.gateways.acme.trustkern.internal",
    "svc-backend",
    "op-admin",
    "backend.acme.trustkern.internal",
    "step-ca.acme.trustkern.internal",
    "*.gateways.acme.trustkern.internal",
    'gw-01", "organizationalUnit": "services',
  ])("nothing in the name of %s, whoever vouches", async (name) => {
    expect((await vouched(name)).status).toBe(403);
  });

  test("what a gateway is and nothing else, whatever names the request has", async () => {
    const names = ["gw-01", "backend.acme.trustkern.internal"];
    const { status, leaf } = await ca.sign(await ca.token(ca.leaf("backend"), "gw-01", names), "gw-01", names);
    expect(status).toBe(201);
    expect(new X509Certificate(leaf.certPem).subjectAltName).toBe("DNS:gw-01.gateways.acme.trustkern.internal");
  });

  test("nothing for a request that asks for more than its token", async () => {
    const token = await ca.token(ca.leaf("backend"), "gw-01");
    expect((await ca.sign(token, "gw-02")).status).toBe(403);
  });

  test("nothing for longer than a day", async () => {
    const token = await ca.token(ca.leaf("backend"), "gw-01");
    const notAfter = new Date(Date.now() + 2 * DAY_MS).toISOString();
    expect((await ca.sign(token, "gw-01", ["gw-01"], { notAfter })).status).toBe(403);
  });

  test("once for each token, also after it starts again", async () => {
    const token = await ca.token(ca.leaf("backend"), "gw-01");
    expect((await ca.sign(token, "gw-01")).status).toBe(201);
    expect((await ca.sign(token, "gw-01")).status).toBe(401);
    await ca.end();
    await ca.run();
    expect((await ca.sign(token, "gw-01")).status).toBe(401);
  });

  test("nothing without a token", async () => {
    expect((await ca.sign("", "gw-01")).status).toBe(400);
  });

  test.each(["/1.0/renew", "/1.0/rekey"])(
    "no certificate anew by %s: neither its own nor a service's",
    async (path) => {
      const { leaf } = await vouched("gw-01");
      const statuses = [];
      for (const as of [leaf, ca.leaf("backend"), ca.leaf("collector")]) {
        const { csr } = await request("gw-01");
        statuses.push((await ca.ask(path, { as, method: "POST", body: { csr } })).status);
      }
      expect(statuses).toEqual([401, 403, 403]);
    },
  );

  test("nothing to who connects with a gateway's or an operator's certificate of the deployment", async () => {
    for (const component of ["gw-01", "op-admin"]) {
      await expect(ca.ask("/1.0/renew", { as: ca.leaf(component), method: "POST" })).rejects.toThrow("alert");
    }
  });
});

describe("the secret store", () => {
  test("has step-ca's key encrypted, and its password in no configuration", () => {
    const key = ca.secret("step-ca", "intermediate.key");
    expect(key).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    const password = ca.secret("step-ca", "intermediate.password");
    expect(ca.secret("step-ca", "ca.json") + JSON.stringify(ca.component)).not.toContain(password);
    expect(ca.log).not.toContain(password);
  });

  test("gives the same bytes at the next deploy, and mends a key that does not open", async () => {
    const names = ["ca.crt", "ca.json", "intermediate.crt", "intermediate.key", "intermediate.password"];
    const before = names.map((name) => ca.secret("step-ca", name));
    await ca.prepare(true);
    expect(names.map((name) => ca.secret("step-ca", name))).toEqual(before);
    rmSync(join(ca.layout.secretsDir, "step-ca", "intermediate.key"));
    await ca.prepare(true);
    await ca.end();
    await ca.run();
  });

  test.each([
    ["its password", () => join(ca.layout.secretsDir, "step-ca", "intermediate.password")],
    ["its authority", () => join(ca.layout.authoritiesDir, "step-ca.key")],
  ])("is never filled anew without %s", async (_, path) => {
    const content = readFileSync(path());
    rmSync(path());
    await expect(ca.prepare(true)).rejects.toMatchObject({ code: "STATE_CORRUPT" });
    expect(existsSync(path())).toBe(false);
    writePrivate(path(), content);
  });
});
