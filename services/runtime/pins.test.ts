import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DeploymentCertificates } from "../../certs/deployment.ts";
import { type PinnedTarget, pinnedConnect, pinOf, pinsInForce, readPins } from "./pins.ts";
import { TEST_SERVER, testPki, textsOf } from "./test-pki.ts";
import { optionsOf } from "./tls.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-p-"));
const pinsFile = join(folder, "broker.pins");
const other = "0".repeat(64);
let pki: DeploymentCertificates;
let server: Server;
let pin: string;
let received: string[];

beforeAll(async () => {
  pki = await testPki();
  const own = textsOf(pki, "svc-backend");
  pin = pinOf(new X509Certificate(own.cert).publicKey);
  server = createServer({ ...optionsOf(own), requestCert: true }, (socket) => {
    socket.on("error", () => undefined).on("data", (data) => received.push(String(data)));
  });
  server.on("tlsClientError", () => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Connects with those pins; the code of the failure, or "connected". */
async function attempt(target: Partial<PinnedTarget>): Promise<string> {
  received = [];
  const { port } = server.address() as { port: number };
  const options = pinnedConnect({ host: "127.0.0.1", port, servername: TEST_SERVER, ...target });
  const socket: TLSSocket = connect({ ...optionsOf(textsOf(pki, "gw-01")), ...options });
  const failure = once(socket, "error").then(([error]) => (error as { code: string }).code);
  const result = await Promise.race([failure, once(socket, "secureConnect").then(() => "connected")]);
  socket.destroy();
  return result;
}

it("lets through whose pin is listed, first or next, from the file or the published ones", async () => {
  writeFileSync(pinsFile, `${pin}\n`);
  expect(await attempt({ pinsFile })).toBe("connected");
  writeFileSync(pinsFile, `${other}\n${pin}\n`);
  expect(await attempt({ pinsFile })).toBe("connected");
  expect(await attempt({ pins: () => [other, pin] })).toBe("connected");
  expect(await attempt({ pinsFile, pins: () => [] })).toBe("connected");
  expect(await attempt({})).toBe("connected");
});

it("refuses a valid certificate whose key is none of them", async () => {
  writeFileSync(pinsFile, `${other}\n`);
  expect(await attempt({ pinsFile })).toBe("BROKER_PIN_MISMATCH");
  expect(await attempt({ pins: () => [other] })).toBe("BROKER_PIN_MISMATCH");
});

it("takes what is published before what the file says, in both directions", async () => {
  writeFileSync(pinsFile, `${pin}\n`);
  expect(await attempt({ pinsFile, pins: () => [other] })).toBe("BROKER_PIN_MISMATCH");
  writeFileSync(pinsFile, `${other}\n`);
  expect(await attempt({ pinsFile, pins: () => [pin] })).toBe("connected");
});

it("refuses another name and another authority, whatever the pin", async () => {
  writeFileSync(pinsFile, `${pin}\n`);
  expect(await attempt({ pinsFile, servername: "broker.acme.trustkern.internal" })).toBe(
    "ERR_TLS_CERT_ALTNAME_INVALID",
  );
  const { port } = server.address() as { port: number };
  const strangers = await testPki();
  const options = pinnedConnect({ host: "127.0.0.1", port, servername: TEST_SERVER, pinsFile });
  const socket = connect({ ...optionsOf(textsOf(strangers, "gw-01")), ...options });
  const [error] = await once(socket, "error");
  expect(error.code).toBe("UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
});

it.each([
  ["nothing", ""],
  ["white space", " \n\n"],
  ["upper case", "A".repeat(64)],
  ["a pin too short", "a".repeat(63)],
  ["a pin too long", "a".repeat(65)],
  ["base64", Buffer.alloc(32).toString("base64")],
  ["colons", "aa:".repeat(32)],
  ["a comment", `# broker\n${other}`],
  ["a torn second line", `${other}\n0123`],
  ["too many", `${other}\n`.repeat(17)],
])("connects to nobody with a file of %s", async (_, text) => {
  writeFileSync(pinsFile, text);
  expect(() => readPins(pinsFile)).toThrow(expect.objectContaining({ code: "BROKER_PINS_INVALID", path: pinsFile }));
  expect(await attempt({ pinsFile })).toBe("BROKER_PINS_INVALID");
});

it("says to what the next connection is held: what is published, else the file, else nothing", () => {
  writeFileSync(pinsFile, `${pin}\n${other}\n`);
  expect(pinsInForce({ pinsFile })).toEqual([pin, other]);
  expect(pinsInForce({ pinsFile, pins: () => [] })).toEqual([pin, other]);
  expect(pinsInForce({ pinsFile, pins: () => [other] })).toEqual([other]);
  expect(pinsInForce({})).toEqual([]);
  writeFileSync(pinsFile, "torn");
  expect(pinsInForce({ pinsFile })).toEqual([]);
});

it("connects to nobody where the file is configured and not there", async () => {
  expect(await attempt({ pinsFile: join(folder, "none") })).toBe("BROKER_PINS_INVALID");
});
