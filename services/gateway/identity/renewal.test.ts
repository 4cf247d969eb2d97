import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Authority, loadAuthority } from "../../../certs/authority.ts";
import { issueFromCsr } from "../../../certs/classes/leaf-gateway.ts";
import type { DeploymentCertificates } from "../../../certs/deployment.ts";
import { x509 } from "../../../certs/x509.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { testPki } from "../../runtime/test-pki.ts";
import { type BackendClient, createBackendClient } from "./backend-client.ts";
import { type FakeBackend, fakeToken, gatewayLeaf, startFakeBackend } from "./fake-backend.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { type IdentityFile, type IdentityState, openIdentityFile } from "./identity-file.ts";
import { createRenewal, type Renewal } from "./renewal.ts";

const DAY_MS = 86_400_000;
/** TLS looks at the real clock, so the tests' time ends there. */
const START_MS = Date.now() - 86 * DAY_MS;
const [FIRST, SECOND] = [fakeToken("a"), fakeToken("b")];
let pki: DeploymentCertificates;
let issuer: Authority;
let stranger: DeploymentCertificates;
let backend: FakeBackend;
let folder: string;
let now: number;
let configured: Awaited<ReturnType<typeof gatewayLeaf>>;
let file: IdentityFile;
let identity: Identity;
let client: BackendClient;
let renewal: Renewal;
let renewed: string[];
let authorities: readonly string[];
/** Key of the device, where the gateway enrolled with one. */
let deviceKeyPem: (() => string) | undefined;
let failures: string[];
/** Path of the last failure. */
let refusedFor: string | undefined;

beforeAll(async () => {
  [pki, stranger] = await Promise.all([testPki(() => new Date(START_MS)), testPki(() => new Date(START_MS))]);
  issuer = await loadAuthority(pki.intermediates.gateways);
  backend = await startFakeBackend(pki);
  configured = await gatewayLeaf(pki, new Date(START_MS));
}, 60_000);
afterAll(() => backend.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-i-"));
  writeFileSync(join(folder, "token"), `${FIRST}\n`);
  now = START_MS;
  [renewed, failures, authorities, deviceKeyPem] = [[], [], [], undefined];
  backend.seen.length = 0;
  backend.answer = () => ({ status: 500 });
  boot();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a start of the process makes, from what is on the disk. */
function boot(crashAt?: (changes: Partial<IdentityState>) => boolean): void {
  const real = openIdentityFile(folder, (error) => failures.push(String(error)));
  file = {
    state: real.state,
    save: (changes) => {
      if (crashAt?.(changes)) throw new Error("killed");
      real.save(changes);
    },
  };
  const ca = () => pki.root.certPem;
  const clock = () => now;
  identity = createIdentity({ gateway: "gw-01", file, configured, ca, tokenFile: join(folder, "token"), now: clock });
  client = createBackendClient({ target: backend.target, identity, now: clock, random: () => 0 });
  renewal = createRenewal({
    gateway: "gw-01",
    client,
    identity,
    file,
    ca,
    authorities: () => authorities,
    deviceKeyPem: deviceKeyPem && (() => deviceKeyPem?.() ?? ""),
    now: clock,
    onRenewed: ({ sha256 }) => renewed.push(sha256),
    onFailure: (thrown) => {
      refusedFor = thrown instanceof TrustKernError ? thrown.path : undefined;
      failures.push(thrown instanceof TrustKernError ? thrown.code : String(thrown));
    },
  });
}

/** Answers as the backend does: a certificate for the request, and all that asks with a token. */
async function serve(from: Authority = issuer, token = SECOND, name = "gw-01"): Promise<void> {
  const issued = new Map<string, string>();
  const certify = async (csr: string): Promise<string> =>
    (await issueFromCsr(from, csr, { name, now: new Date(now) })).certPem;
  backend.answer = ({ path, body }) => {
    if (path !== "/v1/gateway/certificate") return { status: 200 };
    const { csr } = body as { csr: string };
    const chain = issued.get(csr);
    return chain ? { status: 200, body: { chain, token: { id: "t", token } } } : { status: 503, body: csr };
  };
  // The answer needs the certificate first, and making it takes a moment.
  const { pending } = file.state();
  if (pending) issued.set(pending.csr, await certify(pending.csr));
}

/** Goes to two thirds of the life, and has a request on the disk that the backend can answer. */
async function due(options: { from?: Authority; token?: string; name?: string } = {}): Promise<void> {
  now += 63 * DAY_MS;
  await renewal.tick();
  expect(failures).toEqual(["GATEWAY_BACKEND_ANSWER"]);
  failures.length = 0;
  now += DAY_MS / 24 + 1000;
  await serve(options.from, options.token, options.name);
}

describe("renewal", () => {
  it("does nothing before two thirds of the life, and then within a thirtieth of it", async () => {
    for (const days of [0, 30, 59.9]) {
      now = START_MS + days * DAY_MS;
      await renewal.tick();
    }
    expect([backend.seen, failures]).toEqual([[], []]);
    now = START_MS + 63 * DAY_MS;
    await renewal.tick();
    expect(backend.seen.map(({ path }) => path)).toEqual(["/v1/gateway/certificate"]);
  });

  it("proves the new certificate with the new token before it goes before the old one", async () => {
    await due();
    await renewal.tick();
    const [, asked, proved] = backend.seen;
    expect(asked).toMatchObject({ path: "/v1/gateway/certificate", certificate: configured.sha256, token: FIRST });
    expect(proved).toMatchObject({ path: "/v1/gateway/allowlist", certificate: renewed[0], token: SECOND });
    expect(identity.credentials().map(({ sha256, token }) => [sha256, token])).toEqual([
      [renewed[0], SECOND],
      [configured.sha256, FIRST],
    ]);
    expect(file.state()).toMatchObject({ pending: null, candidate: null, current: { token: SECOND } });
    expect(statSync(join(folder, "identity.json")).mode & 0o777).toBe(0o600);
    boot();
    expect(identity.credentials()[0]?.sha256).toBe(renewed[0]);
    await renewal.tick();
    expect(backend.seen).toHaveLength(3);
  });

  it("keeps the old one where the new one is refused, and asks no more for a while", async () => {
    await due();
    const { answer } = backend;
    backend.answer = (request) => (request.token === SECOND ? { status: 403 } : answer(request));
    await renewal.tick();
    expect(failures).toEqual(["GATEWAY_BACKEND_REFUSED"]);
    expect(identity.credentials().map(({ sha256 }) => sha256)).toEqual([configured.sha256]);
    expect(file.state()).toMatchObject({ candidate: null, current: null });
    const before = backend.seen.length;
    for (let minute = 0; minute < 30; minute += 1) {
      now += 60_000;
      await renewal.tick();
    }
    expect(backend.seen).toHaveLength(before);
  });

  it("keeps a candidate while the backend is away, and takes it when it is back", async () => {
    await due();
    const { answer } = backend;
    backend.answer = (request) => (request.token === SECOND ? undefined : answer(request));
    await renewal.tick();
    expect(failures).toEqual(["GATEWAY_BACKEND_AWAY"]);
    expect(renewed).toEqual([]);
    backend.answer = answer;
    now += 60_000;
    await renewal.tick();
    expect(renewed).toHaveLength(1);
  });

  it("works after days without a network, at the first moment", async () => {
    now += 80 * DAY_MS;
    await renewal.tick();
    now += 5 * DAY_MS;
    await serve();
    await renewal.tick();
    expect(renewed).toHaveLength(1);
  });

  it.each<[string, () => Promise<Parameters<typeof due>[0]>, string]>([
    [
      "another authority's certificate",
      async () => ({ from: await loadAuthority(stranger.intermediates.gateways) }),
      "wrong-ca",
    ],
    ["a token that is none", async () => ({ token: "gw_short" }), "it is not a chain with a token"],
    ["an empty token", async () => ({ token: "" }), "it is not a chain with a token"],
  ])("does not use %s", async (_, options, reason) => {
    await due(await options());
    await renewal.tick();
    expect([failures, refusedFor, renewed]).toEqual([["GATEWAY_RENEWAL_ANSWER"], reason, []]);
    expect(identity.credentials().map(({ sha256 }) => sha256)).toEqual([configured.sha256]);
  });

  it.each([
    ["no chain", { token: { token: SECOND } }],
    ["no token", { chain: "x" }],
    ["a chain that is none", { chain: "x", token: { token: SECOND } }],
    ["a text", "hello"],
    ["nothing", null],
  ])("does not use an answer with %s", async (_, body) => {
    await due();
    backend.answer = () => ({ status: 200, body });
    await renewal.tick();
    expect([failures, renewed]).toEqual([["GATEWAY_RENEWAL_ANSWER"], []]);
  });

  it("does not use the certificate of another key, and of another gateway", async () => {
    for (const name of ["gw-01", "gw-02"]) {
      rmSync(join(folder, "identity.json"), { force: true });
      [failures.length, now] = [0, START_MS];
      backend.answer = () => ({ status: 500 });
      boot();
      await due();
      const other = await gatewayLeaf(pki, new Date(now), name);
      backend.answer = () => ({ status: 200, body: { chain: other.cert, token: { token: SECOND } } });
      await renewal.tick();
      expect([failures, renewed]).toEqual([["GATEWAY_RENEWAL_ANSWER"], []]);
    }
  });

  it.each([
    ["before the request is on the disk", (c: Partial<IdentityState>) => c.pending !== undefined && c.pending !== null],
    ["before the answer is", (c: Partial<IdentityState>) => c.candidate !== undefined && c.candidate !== null],
    ["before the exchange is", (c: Partial<IdentityState>) => c.current !== undefined],
  ])("goes on after a kill %s, with a credential that works at every moment", async (_, crashAt) => {
    boot(crashAt);
    now += 63 * DAY_MS;
    await serve();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await renewal.tick();
      expect(identity.credentials()[0]?.sha256).toBe(configured.sha256);
      now += 2 * 3_600_000;
      await serve();
    }
    expect(renewed).toEqual([]);
    boot();
    for (let attempt = 0; attempt < 3 && renewed.length === 0; attempt += 1) {
      await serve();
      await renewal.tick();
      now += 2 * 3_600_000;
    }
    expect(renewed).toHaveLength(1);
    expect(identity.credentials()[0]?.sha256).toBe(renewed[0]);
  });

  it("starts with its files where its own state is damaged, and tells no secret", async () => {
    await due();
    await renewal.tick();
    const path = join(folder, "identity.json");
    const text = readFileSync(path, "utf8");
    for (const damaged of ["", text.slice(0, -20), '{"schema":"trustkern.gateway-identity/2"}', `${SECOND}`]) {
      failures.length = 0;
      writeFileSync(path, damaged);
      boot();
      expect(identity.credentials().map(({ sha256 }) => sha256)).toEqual([configured.sha256]);
      expect(failures).toEqual(["Error: identity.json is not used: it is damaged"]);
    }
  });
});

describe("a renewal of a gateway that enrolled with a device's key", () => {
  const newKey = (): string =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const publicHalf = (pem: string): string =>
    createPublicKey(pem).export({ type: "spki", format: "der" }).toString("hex");
  const requested = (): string | undefined => {
    const { csr } = (backend.seen.at(-1)?.body ?? {}) as { csr?: string };
    return csr && Buffer.from(new x509.Pkcs10CertificateRequest(csr).publicKey.rawData).toString("hex");
  };
  const bootWith = (pem: () => string): void => {
    deviceKeyPem = pem;
    boot();
  };

  it("asks for that key, whose certificate is then shown with it", async () => {
    const key = newKey();
    bootWith(() => key);
    await due();
    expect(requested()).toBe(publicHalf(key));
    await renewal.tick();
    expect([failures, renewed.length, file.state().current?.key]).toEqual([[], 1, key]);
  });

  it("asks for another key each time where there is no such key", async () => {
    await due();
    const first = requested();
    rmSync(join(folder, "identity.json"));
    now = START_MS;
    backend.answer = () => ({ status: 500 });
    boot();
    await due();
    expect(requested()).not.toBe(first);
  });

  it("does not ask once more for a key that it made for an attempt of before", async () => {
    await due();
    const made = requested();
    const key = newKey();
    bootWith(() => key);
    await renewal.tick();
    expect(requested()).toBe(publicHalf(key));
    expect(requested()).not.toBe(made);
  });

  it("asks nothing while the key cannot be read, and stays what it is", async () => {
    bootWith(() => {
      throw new Error("unreadable");
    });
    now += 63 * DAY_MS;
    await renewal.tick();
    expect([failures, backend.seen, renewed]).toEqual([["Error: unreadable"], [], []]);
    expect(identity.credentials().map(({ sha256 }) => sha256)).toEqual([configured.sha256]);
  });
});

describe("a renewal before its time", () => {
  const asked = () => backend.seen.filter(({ path }) => path === "/v1/gateway/certificate").length;
  const ours = () => identity.credentials()[0]?.authoritySha256 ?? "";
  const other = "ab".repeat(32);
  const minutes = async (count: number): Promise<void> => {
    for (const end = now + count * 60_000; now < end; now += 60_000) {
      await serve();
      await renewal.tick();
    }
  };

  it("is made where the leaf's authority is none of those whose leaves may stay", async () => {
    authorities = [other];
    await minutes(20);
    expect(renewed.length).toBeGreaterThan(0);
    expect(identity.credentials()[0]?.sha256).toBe(renewed.at(-1));
  });

  it.each([
    ["nothing is said of authorities", () => []],
    ["its authority is among them", () => [other, ours()]],
  ])("is not made where %s", async (_, say) => {
    authorities = say();
    await minutes(30);
    expect(backend.seen).toEqual([]);
  });

  it("is not made again and again where the next leaf is of the same authority", async () => {
    authorities = [other];
    await minutes(20);
    const before = asked();
    await minutes(9);
    expect(asked() - before).toBeLessThanOrEqual(1);
  });

  it("is asked for every ten minutes where it is refused, and at once when the backend says something else", async () => {
    authorities = [other];
    backend.answer = () => ({ status: 409, body: { error: { code: "ISSUING_NONE" } } });
    const refused = async (count: number): Promise<number> => {
      const before = asked();
      for (const end = now + count * 60_000; now < end; now += 60_000) await renewal.tick();
      return asked() - before;
    };
    expect(await refused(60)).toBe(6);
    expect(await refused(2)).toBeLessThanOrEqual(1);
    authorities = ["cd".repeat(32)];
    expect(await refused(1)).toBe(1);
    expect(identity.credentials().map(({ sha256 }) => sha256)).toEqual([configured.sha256]);
  });
});

describe("the backend's client", () => {
  const get = () => client.call({ method: "GET", path: "/v1/gateway/allowlist" });
  const refusal = (code: string) => expect.objectContaining({ code });

  it.each([401, 403])(
    "shows a credential that got %i not again for 15 minutes, and then for twice as long",
    async (status) => {
      backend.answer = () => ({ status });
      await expect(get()).rejects.toThrow(refusal("GATEWAY_BACKEND_REFUSED"));
      for (const minutes of [15, 30, 60]) {
        now += minutes * 60_000 - 1;
        await expect(get()).rejects.toThrow(refusal("GATEWAY_BACKEND_PAUSED"));
        now += 1;
        await expect(get()).rejects.toThrow(refusal("GATEWAY_BACKEND_REFUSED"));
      }
      expect(backend.seen).toHaveLength(4);
    },
  );

  it.each([
    [{}, 600],
    [{ "retry-after": "1" }, 600],
    [{ "retry-after": "3600" }, 3600],
    [{ "retry-after": "x" }, 600],
    [{ "retry-after": "-5" }, 600],
  ])("waits after 429 with %j for %i s", async (headers: Record<string, string>, seconds) => {
    backend.answer = () => ({ status: 429, headers });
    await expect(get()).rejects.toThrow(refusal("GATEWAY_BACKEND_REFUSED"));
    now += seconds * 1000 - 1;
    await expect(get()).rejects.toThrow(refusal("GATEWAY_BACKEND_PAUSED"));
    now += 1;
    backend.answer = () => ({ status: 200, body: { ok: true } });
    expect(await get()).toEqual({ ok: true });
  });

  it("never asks five times in 60 s, whoever wants what", async () => {
    backend.answer = () => undefined;
    const start = now;
    for (; now < start + 300_000; now += 5000) await get().catch(() => undefined);
    expect(backend.seen.length).toBeGreaterThan(2);
    expect(backend.seen.length).toBeLessThan(7);
  });

  it("introduces a certificate without any token, and takes the refusal for its answer", async () => {
    const [credential] = identity.credentials();
    if (!credential) throw new Error("no credential");
    backend.answer = () => ({ status: 403 });
    await client.introduce(credential);
    expect(backend.seen).toMatchObject([{ certificate: configured.sha256, token: undefined }]);
    backend.answer = () => ({ status: 200 });
    await get();
    backend.answer = () => undefined;
    await expect(client.introduce(credential)).rejects.toThrow(refusal("GATEWAY_BACKEND_AWAY"));
  });

  it("shows a new token at once, and asks nothing without one", async () => {
    backend.answer = ({ token }) => ({ status: token === SECOND ? 200 : 401 });
    await expect(get()).rejects.toThrow(refusal("GATEWAY_BACKEND_REFUSED"));
    writeFileSync(join(folder, "token"), SECOND);
    expect(await get()).toEqual({});
    for (const text of ["", "gw_", `${SECOND}x`, SECOND.slice(1), "Bearer x\r\nx: y"]) {
      writeFileSync(join(folder, "token"), text);
      await expect(get()).rejects.toThrow(refusal("GATEWAY_BACKEND_PAUSED"));
    }
    expect(backend.seen).toHaveLength(2);
  });

  it("tells the token to nobody but the backend", async () => {
    const errors: unknown[] = [];
    backend.answer = () => ({ status: 401, body: { error: { code: "TOKEN_REFUSED", message: FIRST } } });
    await get().catch((thrown: unknown) => errors.push(thrown));
    const other = await startFakeBackend(stranger);
    const astray = createBackendClient({ target: other.target, identity, now: () => now, random: () => 0 });
    await astray.call({ method: "GET", path: "/" }).catch((thrown: unknown) => errors.push(thrown));
    expect(other.seen).toEqual([]);
    expect(errors).toMatchObject([{ code: "GATEWAY_BACKEND_REFUSED" }, { code: "GATEWAY_BACKEND_AWAY" }]);
    expect(errors.map((error) => JSON.stringify(error) + String(error)).join()).not.toContain(FIRST);
    await other.close();
  });
});

describe("the broker's turns", () => {
  it("try the newest first, the other one when it failed, and the newest again after a connection", async () => {
    await due();
    await renewal.tick();
    const turn = () => (identity.forBroker()?.cert === file.state().current?.cert ? "new" : "old");
    expect([turn(), turn(), turn()]).toEqual(["new", "old", "new"]);
    identity.brokerAccepted();
    expect(turn()).toBe("new");
  });
});
