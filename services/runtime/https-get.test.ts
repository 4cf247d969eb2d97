import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { DeploymentCertificates } from "../../certs/deployment.ts";
import { type HttpsGetLimits, httpsGet } from "./https-get.ts";
import { listenTcp } from "./listen.ts";
import { TEST_SERVER, testPki, textsOf } from "./test-pki.ts";
import { liveOptions, mutualTls, optionsOf } from "./tls.ts";

const LIMITS: HttpsGetLimits = { timeoutMs: 2_000, maxBytes: 1_000 };

let pkis: readonly [DeploymentCertificates, DeploymentCertificates];
let server: Server;
let url: string;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  pkis = await Promise.all([testPki(), testPki()]);
});
beforeEach(async () => {
  answer = (response) => response.end("hello");
  server = createServer({ ...mutualTls, ...served(pkis[0]) }, (_, response) => answer(response));
  url = `https://127.0.0.1:${await listenTcp(server, { hosts: ["127.0.0.1"], port: 0 })}`;
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
});

const served = (pki: DeploymentCertificates) => optionsOf(textsOf(pki, "svc-backend"));
const client = (pki: DeploymentCertificates) => optionsOf(textsOf(pki, "svc-collector"));
const get = (tls = client(pkis[0]), limits = LIMITS, servername = TEST_SERVER) =>
  httpsGet({ url, servername }, "/what", tls, limits);

it("asks with the certificates of now, when they have changed since the last time", async () => {
  const [first, second] = pkis;
  const live = liveOptions(client(first));
  await expect(get(live.tls)).resolves.toBe("hello");
  server.setSecureContext(served(second));
  await expect(get(live.tls)).rejects.toThrow(/issuer/);
  live.replace(client(second));
  await expect(get(live.tls)).resolves.toBe("hello");
});

it.each([201, 304, 403, 500])("gives no body of an answer with status %s", async (status) => {
  answer = (response) => response.writeHead(status).end(status === 304 ? undefined : "hello");
  await expect(get()).rejects.toThrow(`status ${status}`);
});

it("takes as many bytes as allowed, and no more", async () => {
  answer = (response) => response.end("x".repeat(LIMITS.maxBytes));
  await expect(get()).resolves.toHaveLength(LIMITS.maxBytes);
  answer = (response) => response.end("x".repeat(LIMITS.maxBytes + 1));
  await expect(get()).rejects.toThrow("more than 1000 bytes");
});

it("waits for the whole answer no longer than allowed", async () => {
  answer = (response) => response.writeHead(200).write("hel");
  await expect(get(client(pkis[0]), { ...LIMITS, timeoutMs: 200 })).rejects.toThrow(/abort|timeout/i);
});

it("takes no answer of another name, and is not answered with a certificate of others", async () => {
  await expect(get(client(pkis[0]), LIMITS, "other.acme.trustkern.internal")).rejects.toThrow(/altnames/);
  const [first, second] = pkis;
  await expect(get({ ...client(second), ca: first.root.certPem })).rejects.toThrow();
});
