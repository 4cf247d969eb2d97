import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { issueDeploymentCertificates } from "../certs/deployment.ts";
import { serverName } from "../model/placement.ts";
import { handshake } from "./handshake.ts";

let server: Server;
let root: string;

beforeAll(async () => {
  const services = [{ name: "svc-a", dnsNames: [serverName("a", "acme")], ipAddresses: [] }];
  const pki = await issueDeploymentCertificates({
    ...{ tenant: "acme", clock: () => new Date(), services, gateways: [], operators: [] },
  });
  const [leaf] = pki.leaves;
  root = pki.root.certPem;
  server = createServer({ cert: leaf?.certPem, key: leaf?.keyPem, minVersion: "TLSv1.3" }, (asked, answer) => {
    if (asked.url === "/cut") asked.socket.destroy();
    else answer.writeHead(asked.url === "/refused" ? 403 : 200).end('{"code":"CERTIFICATE_REVOKED"}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => void server.close());

const ask = (path: string | undefined) =>
  handshake({
    ...{
      host: "127.0.0.1",
      port: (server.address() as AddressInfo).port,
      servername: serverName("a", "acme"),
      ca: { pem: root },
    },
    ...{ minVersion: "TLSv1.3", maxVersion: "TLSv1.3", postgres: false, timeoutMs: 2000, settleMs: 50, path },
  });

it("is taken by a port that lets it stay open, or answers what is asked", async () => {
  expect(await ask(undefined)).toEqual({ outcome: "taken", version: "TLSv1.3", why: "" });
  expect(await ask("/")).toEqual({ outcome: "taken", version: "TLSv1.3", why: "" });
});

it("is refused by an answer that says so, with its reason, and by none", async () => {
  expect(await ask("/refused")).toMatchObject({ outcome: "refused", why: expect.stringContaining("_REVOKED") });
  expect(await ask("/cut")).toMatchObject({ outcome: "refused", why: expect.any(String) });
});
