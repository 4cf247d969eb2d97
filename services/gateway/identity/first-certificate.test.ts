import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueFromCsr } from "../../../certs/classes/leaf-gateway.ts";
import type { DeploymentCertificates } from "../../../certs/deployment.ts";
import type { TrustKernError } from "../../../shared/errors.ts";
import { testPki } from "../../runtime/test-pki.ts";
import { gatewayErrors } from "../errors.ts";
import type { BackendCall } from "./backend-client.ts";
import type { CredentialTexts } from "./credential.ts";
import { createEnrolment } from "./enrolment.ts";
import { fakeToken, gatewayLeaf } from "./fake-backend.ts";
import { firstCertificate } from "./first-certificate.ts";
import { createIdentity } from "./identity.ts";
import { openIdentityFile } from "./identity-file.ts";

const TOKEN = `ge_${"a".repeat(54)}`;
const MINUTE_MS = 60_000;
let pki: DeploymentCertificates;
/** A certificate with its key, in the place of the device's. */
let device: { readonly cert: string; readonly key: string };
let folder: string;
let asked: BackendCall[];
let answer: (call: BackendCall) => Promise<unknown>;

beforeAll(async () => {
  pki = await testPki();
  device = await gatewayLeaf(pki, new Date(), "gw-99");
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-f-"));
  put("device.key", device.key);
  put("device.crt", device.cert);
  put("enrolment.token", `${TOKEN}\n`);
  asked = [];
  answer = async ({ body }) => {
    const issuer = await loadAuthority(pki.intermediates.gateways);
    const { csr } = body as { readonly csr: string };
    const { certPem } = await issueFromCsr(issuer, csr, { name: "gw-01", now: new Date() });
    return { chain: certPem, token: { token: fakeToken("b"), id: "1" } };
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const put = (name: string, content: string): void => writeFileSync(at(name), content, { mode: 0o600 });
const shared = { gateway: "gw-01", ca: () => pki.root.certPem };
const ask = (hasBackend = true): (() => Promise<CredentialTexts>) =>
  firstCertificate({
    ...{ ...shared, now: Date.now },
    target: { tokenFile: at("enrolment.token"), deviceCertFile: at("device.crt"), deviceKeyFile: at("device.key") },
    client: hasBackend
      ? {
          call: (call) => {
            asked.push(call);
            return answer(call);
          },
        }
      : undefined,
  });

describe("a gateway with an enrolment token", () => {
  it("shows the device's certificate with it, and asks for the device's own key", async () => {
    const { cert, key, token } = await ask()();
    expect([key, token]).toEqual([device.key, fakeToken("b")]);
    expect(cert).toContain("BEGIN CERTIFICATE");
    expect(asked).toMatchObject([
      { method: "POST", path: "/v1/device/enrolment", credential: { certPem: device.cert, token: TOKEN } },
    ]);
  });

  it("keeps no token that is used up, and one that was refused", async () => {
    const { answer: good } = { answer };
    answer = () => Promise.reject(gatewayErrors.error("GATEWAY_BACKEND_REFUSED", "status 403"));
    await expect(ask()()).rejects.toMatchObject({ code: "GATEWAY_BACKEND_REFUSED" });
    expect(existsSync(at("enrolment.token"))).toBe(true);
    answer = good;
    await ask()();
    expect(existsSync(at("enrolment.token"))).toBe(false);
  });

  it.each<[string, () => void, boolean, string]>([
    ["a token of another form", () => put("enrolment.token", fakeToken("c")), true, "GATEWAY_ENROLMENT_UNUSABLE"],
    ["two tokens", () => put("enrolment.token", `${TOKEN}\n${TOKEN}\n`), true, "GATEWAY_ENROLMENT_UNUSABLE"],
    ["no token", () => rmSync(at("enrolment.token")), true, "SERVICE_FILE_UNREADABLE"],
    ["another device's certificate", () => put("device.crt", pki.root.certPem), true, "GATEWAY_ENROLMENT_UNUSABLE"],
    ["no backend", () => undefined, false, "GATEWAY_ENROLMENT_UNUSABLE"],
  ])("asks nobody with %s, and says nothing of the token", async (_, spoil, hasBackend, code) => {
    spoil();
    const thrown = await ask(hasBackend)().catch((error: unknown) => error as TrustKernError);
    expect(thrown).toMatchObject({ code });
    expect(`${(thrown as TrustKernError).message}`).not.toContain("aaaa");
    expect(asked).toEqual([]);
  });

  it.each([
    ["no chain", { token: { token: fakeToken("b") } }],
    ["no token", { chain: "x" }],
    ["a token of another form", { chain: "x", token: { token: TOKEN } }],
  ])("takes no answer with %s", async (_, given) => {
    answer = async () => given;
    await expect(ask()()).rejects.toMatchObject({ code: "GATEWAY_ENROLMENT_UNUSABLE" });
  });
});

it("asks an absent backend again within minutes, and one that refused after a quarter of an hour", async () => {
  let now = Date.now();
  const file = openIdentityFile(folder, () => undefined);
  const identity = createIdentity({ ...shared, file, configured: null, now: () => now });
  const options = {
    ...shared,
    identity,
    file,
    now: () => now,
    onEnrolled: () => undefined,
    onFailure: () => undefined,
  };
  const enrol = createEnrolment({ ...options, ask: ask() });
  answer = () => Promise.reject(gatewayErrors.error("GATEWAY_BACKEND_AWAY", "nobody"));
  await enrol();
  now += MINUTE_MS;
  answer = () => Promise.reject(gatewayErrors.error("GATEWAY_BACKEND_REFUSED", "status 403"));
  await enrol();
  expect(asked).toHaveLength(2);
  now += 14 * MINUTE_MS;
  await enrol();
  expect(asked).toHaveLength(2);
});
