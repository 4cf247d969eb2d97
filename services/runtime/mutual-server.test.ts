import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:https";
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

let pkis: readonly [DeploymentCertificates, DeploymentCertificates];
let folder: string;
let files: TlsFiles;
let watcher: TlsWatcher;
let server: ReturnType<typeof createMutualServer>;
let port: number;

beforeAll(async () => {
  pkis = await Promise.all([testPki(), testPki()]);
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-s-"));
  files = writeTexts(folder, textsOf(pkis[0], "svc-backend"));
  watcher = createTlsWatcher({ now: Date.now, onEvent: () => undefined, intervalMs: 2 ** 30 });
  const listener = (_: unknown, response: { end: (text: string) => void }) => response.end("hello");
  server = createMutualServer({ tls: watcher.open(files), listener, events: { report: () => undefined } });
  port = await listenTcp(server, { host: "127.0.0.1", port: 0 });
});
afterEach(() => {
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
