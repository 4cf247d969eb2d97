import { createHash, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoredAuthority } from "../../certs/authority.ts";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueDeviceLeaf } from "../../certs/classes/leaf-device.ts";
import { parseCsr } from "../../certs/csr.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { deviceRequest } from "../../services/gateway/identity/certificate-request.ts";
import { type Reply, refusal, TestBackend } from "./backend/in-process.ts";
import { OnlineCa } from "./backend/online-ca.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";
import { requestFor } from "./step-ca/requests.ts";

const PATH = "/v1/device/enrolment";
const HOUR_MS = 3_600_000;
let own: Authorities;
let other: StoredAuthority;
let admin: CertifiedKey;
let ca: OnlineCa;
let backend: TestBackend;
/** Made for gw-07. */
let device: CertifiedKey;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  admin = await leafOf(own, "op-admin");
  other = (await issueIntermediate(own.root, { maker: "southwind", now: new Date() })).authority;
});
beforeEach(async () => {
  ca = new OnlineCa(own.issuers.gateways);
  backend = new TestBackend(own, { gateways: ca });
  ca.backend = backend;
  await backend.start();
  device = await made("gw-07", "0123456789abcdef01");
  return () => backend.close();
});

const operator = async (method: string, path: string, body?: unknown): Promise<Reply> => {
  const reply = await backend.call(admin, method, path, { body });
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply;
};
const issue = async (name = "gw-07", hours?: number): Promise<string> => {
  const body = hours === undefined ? undefined : { lifetime_hours: hours };
  return (await operator("POST", `/v1/gateways/${name}/enrolment-tokens`, body)).body.token;
};
const certificates = async (state: string): Promise<readonly { readonly serial: string }[]> =>
  (await operator("GET", "/v1/certificates")).body.filter((each: { state: string }) => each.state === state);

/** A device with its maker's certificate, on record under a gateway's name. */
async function made(name: string | undefined, hardwareId: string, issuer = own.maker): Promise<CertifiedKey> {
  const { csrPem, keyPem } = await requestFor("device");
  const { publicKeySpki } = await parseCsr(csrPem);
  const maker = issuer.maker ?? "";
  const identity = { hardwareId, maker, model: "TK 100", now: new Date(), key: { publicKeySpki } };
  const { certPem } = await issueDeviceLeaf(issuer, identity);
  if (name !== undefined) {
    const point = publicKeySpki.subarray(-65).toString("hex");
    const insert = backend.db.prepare(
      "INSERT INTO made_device VALUES (?, 'gateway', ?, 'TK 100', ?, 'record', 'made', 1)",
    );
    insert.run(hardwareId, maker, point);
    await operator("PUT", `/v1/gateways/${name}`, { hardware_id: hardwareId });
  }
  return { certPem, keyPem };
}

async function enrol(token: string | undefined, who = device, name = "gw-07", keyPem = who.keyPem): Promise<Reply> {
  const { csr } = await deviceRequest(name, keyPem);
  return backend.call(who, "POST", PATH, { token, body: { csr } });
}

it("gives the first certificate, of the device's own key, and the first token, which work with each other", async () => {
  const token = await issue();
  expect(token).toMatch(/^ge_[A-Za-z0-9_-]{54}$/);
  const { status, body } = await enrol(token);
  expect([status, body.token?.token]).toEqual([200, expect.stringMatching(/^gw_/)]);
  const held = { certPem: body.chain, keyPem: device.keyPem };
  expect(new X509Certificate(body.chain).subject).toContain("CN=gw-07");
  expect(await backend.call(held, "GET", "/v1/gateway/allowlist", { token: body.token.token })).toMatchObject({
    status: 200,
  });
  expect(backend.events).toContainEqual(expect.objectContaining({ kind: "ENROLLED", actor: "gw-07" }));
});

describe("a token", () => {
  const failed = (reason: string) => expect.objectContaining({ kind: "TOKEN_AUTH_FAILED", reason });

  it("that was used is refused the second time, with an event that names the device", async () => {
    const token = await issue();
    await enrol(token);
    expect(await enrol(token)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_USED"));
    expect(backend.events).toContainEqual(failed("ENROLMENT_TOKEN_USED"));
    expect(backend.events.find(({ reason }) => reason === "ENROLMENT_TOKEN_USED")?.actor).toBe(
      "device 0123456789abcdef01",
    );
    expect(await certificates("issued")).toHaveLength(1);
  });

  it("that was used stays used over a restart, and after an operator lets the gateway enrol again", async () => {
    const token = await issue();
    await enrol(token);
    await backend.restart();
    await operator("POST", "/v1/gateways/gw-07/allow-again");
    expect(await enrol(token)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_USED"));
    expect(await enrol(await issue())).toMatchObject({ status: 200 });
  });

  it("that two show at the same moment lets one in; what was signed for the other is revoked", async () => {
    const token = await issue();
    const both = await Promise.all([enrol(token), enrol(token)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect(both.find(({ status }) => status === 403)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_USED"));
    expect(await certificates("issued")).toHaveLength(1);
    const [withdrawn] = await certificates("revoked");
    await expect.poll(() => ca.revoked.map(({ serial }) => serial)).toEqual([withdrawn?.serial]);
    expect((await operator("GET", "/v1/gateways/gw-07/tokens")).body).toHaveLength(1);
  });

  it("is refused from its end on, also when that comes while the issuer signs", async () => {
    const token = await issue("gw-07", 1);
    ca.meanwhile = async () => {
      backend.aheadMs = 2 * HOUR_MS;
    };
    expect(await enrol(token)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_EXPIRED"));
    expect(await certificates("issued")).toEqual([]);
    expect(await certificates("revoked")).toHaveLength(1);
    expect(await enrol(token)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_EXPIRED"));
    expect(backend.events).toContainEqual(failed("ENROLMENT_TOKEN_EXPIRED"));
  });

  it("of another gateway is refused, and stays good for its own", async () => {
    const second = await made("gw-08", "0123456789abcdef02");
    const token = await issue("gw-08");
    expect(await enrol(token)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_INVALID"));
    expect(await enrol(token, second, "gw-08")).toMatchObject({ status: 200 });
  });

  it("ends when a newer one is made", async () => {
    const old = await issue();
    const fresh = await issue();
    expect(await enrol(old)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_REVOKED"));
    expect(await enrol(fresh)).toMatchObject({ status: 200 });
  });

  it("opens nothing once the gateway is revoked, also while the issuer signs", async () => {
    const token = await issue();
    ca.meanwhile = () => operator("POST", "/v1/gateways/gw-07/revoke");
    expect((await enrol(token)).body).toMatchObject({ error: { code: "GATEWAY_REVOKED" } });
    expect(await certificates("issued")).toEqual([]);
    ca.meanwhile = async () => undefined;
    expect((await enrol(token)).body).toMatchObject({ error: { code: "GATEWAY_REVOKED" } });
    const again = await backend.call(admin, "POST", "/v1/gateways/gw-07/enrolment-tokens");
    expect(again.body).toMatchObject({ error: { code: "GATEWAY_REVOKED" } });
  });

  it("is not used up where nothing came of it", async () => {
    const token = await issue();
    ca.losesAnswers = true;
    expect((await enrol(token)).body).toMatchObject({ error: { code: "ISSUING_FAILED" } });
    ca.losesAnswers = false;
    expect(await enrol(token)).toMatchObject({ status: 200 });
  });

  it.each([
    ["none", undefined],
    ["a bearer token's form", `gw_${"A".repeat(54)}`],
    ["one that nobody made", `ge_${"A".repeat(54)}`],
  ])("is needed: %s is refused", async (_, token) => {
    await issue();
    expect(await enrol(token)).toMatchObject(refusal(403, "ENROLMENT_TOKEN_INVALID"));
    expect(await certificates("issued")).toEqual([]);
  });

  it("is guessed five times within a minute at most", async () => {
    const token = await issue();
    for (let i = 0; i < 5; i += 1) await enrol(`ge_${"B".repeat(54)}`);
    const locked = await enrol(token);
    expect(locked).toMatchObject(refusal(429, "IDENTITY_LOCKED"));
    expect(Number(locked.retryAfter)).toBeGreaterThan(500);
  });
});

describe("a stolen token", () => {
  it("opens nothing without the device's root-of-trust key", async () => {
    const token = await issue();
    const thief = await made(undefined, "0123456789abcdef01");
    // The maker's certificate of the right hardware id, over another key.
    expect((await enrol(token, thief)).body).toMatchObject({ error: { code: "DENIED_UNKNOWN_DEVICE" } });
    // The device's own connection, and another key to be certified.
    expect((await enrol(token, device, "gw-07", thief.keyPem)).body).toMatchObject({
      error: { code: "DENIED_UNKNOWN_DEVICE" },
    });
    expect(await enrol(token)).toMatchObject({ status: 200 });
  });

  it("opens nothing for who is no made device of a known maker", async () => {
    const token = await issue();
    const { csr } = await deviceRequest("gw-07", device.keyPem);
    for (const name of ["op-admin", "gw-01", "svc-collector"]) {
      const reply = await backend.call(await leafOf(own, name), "POST", PATH, { token, body: { csr } });
      expect(reply.body.error.code).toBe("DENIED_WRONG_CLASS");
    }
    const foreign = await made(undefined, "0123456789abcdef01", other);
    expect((await enrol(token, foreign)).status).not.toBe(200);
    await expect(backend.call(null, "POST", PATH, { token, body: { csr } })).rejects.toThrow();
    expect(await certificates("issued")).toEqual([]);
  });

  it("gives a device no other route and no other name", async () => {
    const token = await issue();
    expect(await backend.call(device, "GET", "/v1/gateways", { token })).toMatchObject(
      refusal(403, "BACKEND_ROLE_REFUSED"),
    );
    expect((await enrol(token, device, "gw-01")).body).toMatchObject({ error: { code: "DENIED_FOREIGN_NAME" } });
    const unnamed = await made(undefined, "0123456789abcdef09");
    expect((await enrol(token, unnamed)).body).toMatchObject({ error: { code: "DENIED_NAME_NOT_ALLOWED" } });
  });
});

describe("no token is made", () => {
  it.each([
    ["for a name without a device", "gw-01", undefined, "GATEWAY_NO_DEVICE"],
    ["for a name that nobody knows", "gw-99", undefined, "GATEWAY_UNKNOWN"],
    ["for longer than a week", "gw-07", { lifetime_hours: 169 }, "HTTP_BODY_INVALID"],
    ["for no time", "gw-07", { lifetime_hours: 0 }, "HTTP_BODY_INVALID"],
  ])("%s", async (_, name, body, code) => {
    const reply = await backend.call(admin, "POST", `/v1/gateways/${name}/enrolment-tokens`, { body });
    expect(reply.body).toMatchObject({ error: { code } });
  });

  it("for a gateway that is enrolled, nor for who is no operator", async () => {
    await enrol(await issue());
    const path = "/v1/gateways/gw-07/enrolment-tokens";
    expect(await backend.call(admin, "POST", path)).toMatchObject(refusal(409, "GATEWAY_ENROLLED"));
    for (const who of [device, await leafOf(own, "gw-01"), await leafOf(own, "svc-collector")])
      expect(await backend.call(who, "POST", path)).toMatchObject(refusal(403, "BACKEND_ROLE_REFUSED"));
  });
});

it("is kept nowhere: not in the database, the journal, an event or an answer", async () => {
  const token = await issue();
  const replies = [await enrol(`ge_${"C".repeat(54)}`), await enrol(token), await enrol(token)];
  const lists = [await operator("GET", "/v1/audit"), await operator("GET", "/v1/gateways/gw-07/tokens")];
  const seen = JSON.stringify([backend.events, replies, lists.map(({ body }) => body)]);
  expect(seen).not.toContain(token.slice(3));
  const files = readdirSync(backend.folder, { withFileTypes: true, recursive: true }).filter((each) => each.isFile());
  const bytes = files.map((each) => readFileSync(join(each.parentPath, each.name), "latin1")).join();
  expect(bytes).not.toContain(token.slice(3));
  expect(bytes).toContain(createHash("sha256").update(token).digest("hex"));
});
