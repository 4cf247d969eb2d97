import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { DeploymentCertificates } from "../../certs/deployment.ts";
import { listenTcp } from "./listen.ts";
import { createMutualServer } from "./mutual-server.ts";
import { TEST_SERVER, testPki, textsOf, writeTexts } from "./test-pki.ts";
import { optionsOf, type TlsFiles } from "./tls.ts";
import { createTlsWatcher, type TlsWatcher } from "./tls-watcher.ts";

const HANDSHAKE_MS = 1000;
let pkis: readonly [DeploymentCertificates, DeploymentCertificates];
let folder: string;
let files: TlsFiles;
let watcher: TlsWatcher;
let server: ReturnType<typeof createMutualServer>;
let port: number;
let reported: { readonly kind: string; readonly reason: string }[];
let left: Socket[];

beforeAll(async () => {
  pkis = await Promise.all([testPki(), testPki()]);
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-s-"));
  files = writeTexts(folder, textsOf(pkis[0], "svc-backend"));
  watcher = createTlsWatcher({ now: Date.now, onEvent: () => undefined, intervalMs: 2 ** 30 });
  const listener = (_: unknown, response: { end: (text: string) => void }) => response.end("hello");
  [reported, left] = [[], []];
  const events = { report: (event: (typeof reported)[number]) => void reported.push(event) };
  server = createMutualServer({ tls: watcher.open(files), listener, events, handshakeMs: HANDSHAKE_MS });
  port = await listenTcp(server, { hosts: ["127.0.0.1"], port: 0 });
});
afterEach(() => {
  for (const socket of left) socket.destroy();
  watcher.stop();
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const client = (pki: DeploymentCertificates, trusts: DeploymentCertificates) => ({
  ...optionsOf({ ...textsOf(pki, "gw-01"), ca: trusts.root.certPem }),
  host: "127.0.0.1",
  port,
  servername: TEST_SERVER,
});

/** Status of one request, or the code of what went wrong. */
function ask(options: object, agent: Agent | false = false): Promise<number | string> {
  return new Promise((resolve) => {
    request({ ...options, agent })
      .on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .on("response", (response) => response.resume().on("end", () => resolve(response.statusCode ?? 0)))
      .end();
  });
}

it("has the new certificate and the new anchors at the next handshake, and the old ones no more", async () => {
  const [first, second] = pkis;
  expect(await ask(client(first, first))).toBe(200);
  expect(await ask(client(second, first))).not.toBe(200);
  const texts = textsOf(second, "svc-backend");
  writeTexts(folder, { ...texts, ca: first.root.certPem + texts.ca });
  watcher.poll();
  expect(await ask(client(first, second))).toBe(200);
  expect(await ask(client(second, second))).toBe(200);
  expect(await ask(client(first, first))).toBe("UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
  writeTexts(folder, texts);
  watcher.poll();
  expect(await ask(client(second, second))).toBe(200);
  expect(await ask(client(first, second))).not.toBe(200);
});

it("keeps what it serves with while the files are damaged", async () => {
  const [first, second] = pkis;
  writeTexts(folder, { ...textsOf(first, "svc-backend"), key: textsOf(second, "svc-backend").key });
  watcher.poll();
  expect(await ask(client(first, first))).toBe(200);
});

it("ends the connections of before when an anchor goes, kept and idle ones, and keeps them for a new certificate alone", async () => {
  const [first, second] = pkis;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await ask(client(first, first), agent)).toBe(200);
  const socket = Object.values(agent.freeSockets)[0]?.[0] as TLSSocket;
  const bundle = first.root.certPem + second.root.certPem;
  writeTexts(folder, {
    ...textsOf(first, "svc-backend"),
    cert: textsOf(first, "svc-collector").cert,
    key: textsOf(first, "svc-collector").key,
  });
  watcher.poll();
  expect(await ask(client(first, first), agent)).toBe(200);
  expect(Object.values(agent.freeSockets)[0]?.[0]).toBe(socket);
  const busy = connect(client(first, first));
  await once(busy, "secureConnect");
  busy
    .on("error", () => undefined)
    .resume()
    .write("GET / HTTP/1.1\r\n");
  await expect.poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(2);
  const ended = [once(socket, "close"), once(busy, "close")];
  writeTexts(folder, { ...textsOf(first, "svc-backend"), ca: bundle });
  watcher.poll();
  await Promise.all(ended);
  agent.destroy();
});

it("resumes no session, so that a certificate is looked at each time", async () => {
  const socket = connect(client(pkis[0], pkis[0]));
  let session: Buffer | undefined;
  socket.on("session", (given) => {
    session = given;
  });
  await once(socket, "secureConnect");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  await once(socket.resume(), "close");
  const again = connect({ ...client(pkis[0], pkis[0]), session });
  await once(again, "secureConnect");
  expect(again.isSessionReused()).toBe(false);
  again.destroy();
});

const silent = (): Socket => {
  const socket = connectTcp(port, "127.0.0.1").on("error", () => undefined);
  left.push(socket);
  return socket;
};

it("answers while any number of strangers from the same address keep silent", async () => {
  await Promise.all(Array.from({ length: 700 }, () => once(silent(), "connect")));
  expect(await ask(client(pkis[0], pkis[0]))).toBe(200);
  expect(reported).toContainEqual(expect.objectContaining({ kind: "RATE_LIMIT_EXCEEDED", reason: "handshakes" }));
});

it("ends a connection that keeps silent instead of a handshake", async () => {
  const socket = silent();
  await once(socket.resume(), "close");
  expect(reported).toMatchObject([{ kind: "AUTH_FAILED", reason: "handshake-timeout" }]);
});

it("lets no name use up the connections of all", async () => {
  const open = async (name: string): Promise<Socket> => {
    const socket = connect({ ...client(pkis[0], pkis[0]), ...optionsOf(textsOf(pkis[0], name)) });
    left.push(socket.on("error", () => undefined).resume());
    await once(socket, "secureConnect");
    return socket;
  };
  const first = await open("gw-01");
  for (let i = 1; i < 64; i += 1) await open("gw-01");
  const more = await open("gw-01");
  await once(more, "close");
  expect(reported).toMatchObject([{ kind: "RATE_LIMIT_EXCEEDED", actor: "gw-01", reason: "connections-of-identity" }]);
  expect(first.destroyed).toBe(false);
  const other = await open("svc-collector");
  first.destroy();
  await expect.poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(64);
  const again = await open("gw-01");
  expect([other.destroyed, again.destroyed, reported.length]).toEqual([false, false, 1]);
});
