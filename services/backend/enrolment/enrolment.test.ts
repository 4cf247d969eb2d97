import { generateKeyPairSync, type webcrypto } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, it } from "vitest";
import type { Authority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueDeviceLeaf } from "../../../certs/classes/leaf-device.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import { x509 } from "../../../certs/x509.ts";
import { createGateways, type Gateways } from "../fleet/gateways.ts";
import { createMadeDevices, insertMadeDevice } from "../fleet/made-devices.ts";
import { createMakers } from "../fleet/makers.ts";
import { createSerially } from "../journal.ts";
import { openDatabase } from "../registry/database.ts";
import { createApprovals } from "./approvals.ts";
import { pointOfSpki } from "./csr-key.ts";
import { createEnrolment, type Enrolment } from "./enrolment.ts";
import type { WebhookBody } from "./requests.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const hardwareId = "0123456789abcdef01";
const clock = new Date();
const nowMs = clock.getTime();
let db: DatabaseSync;
let gateways: Gateways;
let enrol: Enrolment;
let journal: { kind: string; reason: string; verdict?: string | undefined }[];
/** Ends when an entry is on the disk. */
let written: () => Promise<void>;
let events: { kind: string; reason: string }[];
/** Happens between the decision and its record. */
let meanwhile: () => void;

const root = (await issueRoot({ tenant: "acme", now: clock })).authority as Authority;
const maker = async (name: string) => (await issueIntermediate(root, { maker: name, now: clock })).authority;
const [zeta, other] = await Promise.all([maker("zeta"), maker("other")]);
/** A maker of the same name in another tenant. */
const beta = (await issueRoot({ tenant: "beta", now: clock })).authority as Authority;
const zetaOfBeta = (await issueIntermediate(beta, { maker: "zeta", now: clock })).authority;
const keys = (): Promise<webcrypto.CryptoKeyPair> => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
const spki = async ({ publicKey }: webcrypto.CryptoKeyPair) =>
  Buffer.from(await crypto.subtle.exportKey("spki", publicKey));
const [deviceKeys, strangerKeys] = await Promise.all([keys(), keys()]);

async function device(authority: Authority, pair = deviceKeys, changes: object = {}): Promise<string> {
  const made = { hardwareId, maker: authority.maker ?? "", model: "TK 100", now: clock, ...changes };
  const { certPem } = await issueDeviceLeaf(authority, { ...made, key: { publicKeySpki: await spki(pair) } });
  return Buffer.from(new x509.X509Certificate(certPem).rawData).toString("base64");
}

async function csr(name: string, pair = deviceKeys): Promise<Buffer> {
  const request = { name, keys: pair, signingAlgorithm: ALGORITHM };
  return Buffer.from((await x509.Pkcs10CertificateRequestGenerator.create(request)).rawData);
}

async function body(
  changes: Partial<Record<"provisionerName" | "timestamp" | "raw" | "x5c", string>> = {},
): Promise<WebhookBody> {
  const { provisionerName = "makers", timestamp = clock.toISOString() } = changes;
  const raw = changes.raw ?? (await csr("CN=gw-07")).toString("base64");
  const x5c = changes.x5c ?? (await device(zeta));
  return { timestamp, provisionerName, x509CertificateRequest: { raw }, x5cCertificate: { raw: x5c } };
}

beforeEach(async () => {
  db = openDatabase(mkdtempSync(join(tmpdir(), "tk-enrol-")));
  [journal, events, meanwhile, written] = [[], [], () => undefined, async () => undefined];
  const now = (): number => nowMs;
  gateways = createGateways(db, now);
  const publicKey = pointOfSpki(await spki(deviceKeys));
  insertMadeDevice(db, { hardwareId, kind: "gateway", maker: "zeta", model: "TK 100", publicKey }, "record", nowMs);
  gateways.assign("gw-07", hardwareId);
  enrol = createEnrolment({
    db,
    tenant: "acme",
    operators: ["op-admin", "op-support-ada"],
    support: { access: "granted", from: "2020-01-01T00:00:00Z", until: "2090-01-01T00:00:00Z" },
    approvals: createApprovals(now),
    key: {
      jws: async () => {
        meanwhile();
        return "verdict";
      },
    },
    journal: {
      append: async (entry) => {
        await written();
        journal.push(entry);
      },
      find: () => [],
      entries: () => [],
      read: () => ({ ledger: "", head: "" }),
      close: () => undefined,
    },
    serially: createSerially(),
    events: { emit: (event) => void events.push(event) },
    now,
  });
});

it("allows a made device once, records it before it answers, and gives a repeated question the same answer", async () => {
  const asked = await body();
  const answer = await enrol("gateways", asked);
  expect(answer).toMatchObject({ allow: true, data: { name: "gw-07", verdict: "verdict" } });
  expect(journal).toMatchObject([{ kind: "issued", verdict: "verdict" }]);
  expect(db.prepare("SELECT state, verdict FROM certificate").all()).toEqual([
    { state: "expected", verdict: "verdict" },
  ]);
  expect(await enrol("gateways", asked)).toEqual(answer);
  expect(await enrol("gateways", await body())).toMatchObject({ error: { code: "already-enrolled" } });
  gateways.allowAgain("gw-07");
  expect(await enrol("gateways", await body())).toMatchObject({ allow: true });
});

const late = new Date(nowMs + 301_000).toISOString();
const day = 86_400_000;
it.each<[string, string, () => Promise<WebhookBody>]>([
  [
    "an unknown key",
    "unknown-device",
    async () => body({ raw: (await csr("CN=gw-07", strangerKeys)).toString("base64") }),
  ],
  ["another maker's certificate", "foreign-maker", async () => body({ x5c: await device(other) })],
  [
    "a certificate of another device",
    "foreign-name",
    async () => body({ x5c: await device(zeta, strangerKeys, { hardwareId: "ff".repeat(9) }) }),
  ],
  ["a certificate of another key", "foreign-name", async () => body({ x5c: await device(zeta, strangerKeys) })],
  [
    "another hardware id",
    "foreign-name",
    async () => body({ x5c: await device(zeta, deviceKeys, { hardwareId: "ff".repeat(9) }) }),
  ],
  ["another model", "name-not-allowed", async () => body({ x5c: await device(zeta, deviceKeys, { model: "TK 200" }) })],
  ["another gateway's name", "foreign-name", async () => body({ raw: (await csr("CN=gw-08")).toString("base64") })],
  ["a service's name", "wrong-class", async () => body({ raw: (await csr("CN=svc-broker")).toString("base64") })],
  ["an operator's name", "wrong-class", async () => body({ raw: (await csr("CN=op-admin")).toString("base64") })],
  ["a device of another tenant", "foreign-tenant", async () => body({ x5c: await device(zetaOfBeta) })],
  [
    "a request of another tenant",
    "foreign-tenant",
    async () => body({ raw: (await csr("O=beta, CN=gw-07")).toString("base64") }),
  ],
  ["no request", "corrupt", () => body({ raw: "AAAA" })],
  ["no certificate that can be read", "corrupt", () => body({ x5c: "AAAA" })],
  [
    "an authority in place of a device",
    "wrong-class",
    () => body({ x5c: Buffer.from(zeta.certificate.rawData).toString("base64") }),
  ],
  ["an issuer whose clock is 301 s ahead", "clock-skew", () => body({ timestamp: late })],
  [
    "an issuer whose clock is 48 h behind",
    "clock-skew",
    () => body({ timestamp: new Date(nowMs - 2 * day).toISOString() }),
  ],
  ["a request that the backend did not ask for", "unknown-device", () => body({ provisionerName: "backend" })],
  ["another provisioner", "wrong-class", () => body({ provisionerName: "operators" })],
])("refuses %s as %s, with an event and an entry", async (_, code, ask) => {
  expect(await enrol("gateways", await ask())).toMatchObject({ allow: false, error: { code } });
  expect(events).toMatchObject([{ kind: "ENROLMENT_REFUSED", reason: code }]);
  expect(journal).toMatchObject([{ kind: "refused", reason: code }]);
  expect(db.prepare("SELECT count(*) AS n FROM certificate").get()).toEqual({ n: 0 });
});

it.each([
  ["device", () => createMadeDevices(db, () => nowMs).revoke(hardwareId)],
  ["gateway", () => gateways.revoke("gw-07", "keyCompromise")],
  [
    "maker",
    () =>
      createMakers(db, () => nowMs).put({ name: "zeta", publicKey: pointOf(), certificatePem: null }) &&
      createMakers(db, () => nowMs).revoke("zeta"),
  ],
] as const)("refuses a revoked %s", async (_, revoke) => {
  revoke();
  expect(await enrol("gateways", await body())).toMatchObject({ error: { code: "revoked-device" } });
});

it("refuses a device whose maker is revoked, though its own record stands", async () => {
  createMakers(db, () => nowMs).put({ name: "zeta", publicKey: pointOf(), certificatePem: null });
  db.exec("UPDATE maker SET state = 'revoked'");
  expect(db.prepare("SELECT state FROM made_device").get()).toEqual({ state: "made" });
  expect(await enrol("gateways", await body())).toMatchObject({ error: { code: "revoked-device" } });
});

it("says nothing, and has nothing on record, before the entry in the journal is on the disk", async () => {
  const disk = Promise.withResolvers<void>();
  written = () => disk.promise;
  let answered = false;
  const asked = enrol("gateways", await body()).finally(() => {
    answered = true;
  });
  await sleep(50);
  expect([answered, db.prepare("SELECT count(*) AS n FROM certificate").get()]).toEqual([false, { n: 0 }]);
  disk.resolve();
  expect(await asked).toMatchObject({ allow: true });
});

it("allows nothing where the journal cannot be written", async () => {
  written = () => Promise.reject(new Error("disk full"));
  await expect(enrol("gateways", await body())).rejects.toThrow("disk full");
  expect(db.prepare("SELECT count(*) AS n FROM certificate").get()).toEqual({ n: 0 });
  expect(events).toEqual([]);
});

it("allows nothing to a gateway that is revoked between the decision and its record", async () => {
  meanwhile = () => gateways.revoke("gw-07", "keyCompromise");
  expect(await enrol("gateways", await body())).toMatchObject({ error: { code: "revoked-device" } });
  expect(db.prepare("SELECT count(*) AS n FROM certificate").get()).toEqual({ n: 0 });
});

it("journals alike refusals once in a while, and reports each", async () => {
  const asked = await body({ provisionerName: "backend" });
  for (let i = 0; i < 5; i += 1) await enrol("gateways", asked);
  expect([journal.length, events.length]).toEqual([1, 5]);
});

it.each([
  ["op-admin", "CN=op-admin", "operators", undefined],
  ["an operator that is not of the deployment", "CN=op-eve", "operators", "name-not-allowed"],
  ["a guest's, whose certificate would outlive the access", "CN=op-support-ada", "operators", "support-off"],
  ["a gateway's name", "CN=gw-07", "operators", "wrong-class"],
  ["another provisioner", "CN=op-admin", "makers", "wrong-class"],
])("decides on an operator's certificate: %s", async (_, subject, provisionerName, code) => {
  const raw = (await csr(subject, strangerKeys)).toString("base64");
  const expected = code === undefined ? { allow: true } : { allow: false, error: { code } };
  expect(await enrol("operators", await body({ raw, provisionerName }))).toMatchObject(expected);
});

function pointOf(): string {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return publicKey.export({ format: "raw-public" }).toString("hex");
}
