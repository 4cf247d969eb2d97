import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueDeviceLeaf } from "../../../certs/classes/leaf-device.ts";
import { issueFromCsr, issueGatewayLeaf } from "../../../certs/classes/leaf-gateway.ts";
import type { DeploymentCertificates } from "../../../certs/deployment.ts";
import { generateKeyPair, P256, privateKeyPem } from "../../../certs/keys.ts";
import type { signCsr } from "../../../certs/step-ca/client.ts";
import { stepCaErrors } from "../../../certs/step-ca/errors.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { testPki } from "../../runtime/test-pki.ts";
import { createEnrolment } from "./enrolment.ts";
import { fakeToken, gatewayLeaf } from "./fake-backend.ts";
import { firstCertificate } from "./first-certificate.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { type IdentityFile, openIdentityFile } from "./identity-file.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.now();
const SERVER = "gateways-ca.acme.trustkern.internal";
let pki: DeploymentCertificates;
let stranger: DeploymentCertificates;
let device: { readonly key: string; readonly chain: string };
let folder: string;
let now: number;
let file: IdentityFile;
let identity: Identity;
let asked: Parameters<typeof signCsr>[];
let sign: typeof signCsr;
let enrolled: string[];
let failures: string[];
let enrol: () => Promise<void>;

beforeAll(async () => {
  [pki, stranger] = await Promise.all([testPki(), testPki()]);
  const keys = await generateKeyPair(P256);
  const publicKeySpki = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const time = new Date(START_MS);
  const { authority } = await issueIntermediate(await loadAuthority(pki.root), { maker: "acme-radio", now: time });
  const request = { hardwareId: "0a0b0c", maker: "acme-radio", model: "TK 100", now: time, key: { publicKeySpki } };
  device = { key: await privateKeyPem(keys.privateKey), chain: (await issueDeviceLeaf(authority, request)).certPem };
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-e-"));
  writeFileSync(join(folder, "device.key"), device.key, { mode: 0o600 });
  writeFileSync(join(folder, "device.crt"), device.chain);
  now = START_MS;
  [asked, enrolled, failures] = [[], [], []];
  sign = issuing(pki);
  boot();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What an authority of that PKI answers, once it has let the device in. */
function issuing({ intermediates }: DeploymentCertificates): typeof signCsr {
  return async (_, { csrPem }) => {
    const issuer = await loadAuthority(intermediates.gateways);
    return (await issueFromCsr(issuer, csrPem, { name: "gw-01", now: new Date(now) })).certPem;
  };
}

/** An authority that certifies the device's key under another name. */
const misnaming: typeof signCsr = async () => {
  const issuer = await loadAuthority(pki.intermediates.gateways);
  return (await issueGatewayLeaf(issuer, { name: "gw-02", now: new Date(now), keyPem: device.key })).certPem;
};

function boot(configured: Awaited<ReturnType<typeof gatewayLeaf>> | null = null): void {
  file = openIdentityFile(folder, (error) => failures.push(String(error)));
  const shared = { gateway: "gw-01", ca: () => pki.root.certPem, now: () => now };
  identity = createIdentity({ ...shared, file, configured, tokenFile: join(folder, "token") });
  enrol = createEnrolment({
    ...shared,
    identity,
    file,
    ask: firstCertificate({
      ...{ ...shared, client: undefined },
      target: {
        caUrl: "https://127.0.0.1:8443",
        servername: SERVER,
        deviceCertFile: join(folder, "device.crt"),
        deviceKeyFile: join(folder, "device.key"),
      },
      sign: (...call) => {
        asked.push(call);
        return sign(...call);
      },
    }),
    onEnrolled: ({ sha256 }) => enrolled.push(sha256),
    onFailure: (thrown) => failures.push(thrown instanceof TrustKernError ? thrown.code : String(thrown)),
  });
}

it("asks for its own name with a token that the device's key has signed, over the device's chain", async () => {
  await enrol();
  const [endpoint, { token, csrPem }] = asked[0]!;
  expect(endpoint).toEqual({ host: "127.0.0.1", port: 8443, servername: SERVER, rootPem: pki.root.certPem });
  expect(decodeJwt(token)).toMatchObject({ sub: "gw-01", iss: "makers" });
  const [leaf] = decodeProtectedHeader(token).x5c ?? [];
  expect(new X509Certificate(Buffer.from(leaf!, "base64")).checkPrivateKey(createPrivateKey(device.key))).toBe(true);
  expect(csrPem).toContain("CERTIFICATE REQUEST");
  expect([enrolled.length, failures]).toEqual([1, []]);
});

it("shows what it was given from then on, after a restart too, and asks nobody again", async () => {
  await enrol();
  expect(identity.credentials()[0]?.sha256).toBe(enrolled[0]);
  expect(statSync(join(folder, "identity.json")).mode & 0o777).toBe(0o600);
  boot();
  expect(identity.credentials()).toMatchObject([{ sha256: enrolled[0], token: null }]);
  await enrol();
  expect(asked).toHaveLength(1);
});

it("shows the token to the backend as soon as an operator has written it down", async () => {
  await enrol();
  const token = fakeToken("t");
  writeFileSync(join(folder, "token"), `${token}\n`);
  expect(identity.credentials()[0]?.token).toBe(token);
});

it("does nothing where there is a certificate that holds, and enrols where it has ended or is another's", async () => {
  const day = 86_400_000;
  boot(await gatewayLeaf(pki, new Date(START_MS)));
  await enrol();
  expect(asked).toEqual([]);
  boot(await gatewayLeaf(stranger, new Date(START_MS)));
  await enrol();
  expect(enrolled).toHaveLength(1);
  rmSync(join(folder, "identity.json"));
  now = START_MS + 91 * day;
  boot(await gatewayLeaf(pki, new Date(START_MS)));
  await enrol();
  expect(enrolled).toHaveLength(2);
});

it.each([
  ["of another authority", () => issuing(stranger)],
  ["for another gateway", () => misnaming],
  ["of another key", (): typeof signCsr => async () => (await gatewayLeaf(pki, new Date(now))).cert],
  ["that is none", (): typeof signCsr => async () => "nonsense"],
])("does not use a certificate %s", async (_, make) => {
  sign = make();
  await enrol();
  expect(enrolled).toEqual([]);
  expect(failures).toHaveLength(1);
  expect(identity.credentials()).toEqual([]);
  expect(file.state().current).toBeNull();
});

it.each([
  ["a refusal", "STEP_CA_REFUSED", 15],
  ["an authority that is away", "STEP_CA_UNREACHABLE", 1],
] as const)("after %s asks no sooner than it may, and then half as often", async (_, code, minutes) => {
  sign = async () => {
    throw stepCaErrors.error(code, "no");
  };
  await enrol();
  for (const wait of [minutes, 2 * minutes]) {
    now += wait * MINUTE_MS - 1;
    await enrol();
    expect(failures).toHaveLength(asked.length);
    const before = asked.length;
    now += 1;
    await enrol();
    expect(asked).toHaveLength(before + 1);
  }
  expect(asked).toHaveLength(3);
});

it("says that the device's key is missing, and tells no secret", async () => {
  rmSync(join(folder, "device.key"));
  await enrol();
  expect([failures, asked]).toEqual([["SERVICE_FILE_UNREADABLE"], []]);
  writeFileSync(join(folder, "device.key"), device.key.slice(0, 90));
  now += 15 * MINUTE_MS;
  await enrol();
  expect(failures).toHaveLength(2);
  expect(failures.join()).not.toContain(device.key.split("\n")[1]);
});
