import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, it } from "vitest";
import type { Authority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueFromCsr } from "../../../certs/classes/leaf-gateway.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import { parseCsr } from "../../../certs/csr.ts";
import { generateKeyPair, P256 } from "../../../certs/keys.ts";
import type { LedgerEntry } from "../../../certs/ledger/record.ts";
import { x509 } from "../../../certs/x509.ts";
import { createGateways, type Gateways } from "../fleet/gateways.ts";
import { createMadeDevices, insertMadeDevice } from "../fleet/made-devices.ts";
import { createSerially } from "../journal.ts";
import { openDatabase } from "../registry/database.ts";
import { createCertificates } from "../revocation/certificates.ts";
import { endedSessions } from "../revocation/sessions.ts";
import { tokenErrors } from "../tokens/errors.ts";
import { createTokens, type Tokens } from "../tokens/tokens.ts";
import { createApprovals } from "./approvals.ts";
import { type CertifyRequest, createCertifyGateway } from "./certify.ts";
import { pointOfSpki } from "./csr-key.ts";
import { decideGateway } from "./decide.ts";
import { createEnrolment } from "./enrolment.ts";

const HARDWARE = "0123456789abcdef01";
const clock = new Date();
const now = (): number => clock.getTime();
const root = (await issueRoot({ tenant: "acme", now: clock })).authority as Authority;
const authority = (await issueIntermediate(root, { leafClass: "gateways", now: clock })).authority;
const keys = await generateKeyPair();
const signingAlgorithm = { ...P256, hash: "SHA-256" };
const csr = await x509.Pkcs10CertificateRequestGenerator.create({ name: "CN=gw-01", keys, signingAlgorithm });
const csrPem = csr.toString("pem");
const csrDer = Buffer.from(csr.rawData);

let db: DatabaseSync;
let gateways: Gateways;
let tokens: Tokens;
let entries: LedgerEntry[];
let events: string[];
let announced: number;
/** Happens while the issuer signs. */
let meanwhile: () => void;
/** Whether what the caller showed is revoked by now. */
let gone: boolean;
/** Asks the backend as step-ca does, before it signs. */
let asks: boolean;
let certify: (more?: Partial<CertifyRequest>) => Promise<{ readonly token: string; readonly sha256: string }>;

beforeEach(() => {
  db = openDatabase(mkdtempSync(join(tmpdir(), "tk-certify-")));
  [entries, events, announced, asks, gone, meanwhile] = [[], [], 0, true, false, () => undefined];
  gateways = createGateways(db, now);
  gateways.ensure("gw-01");
  tokens = createTokens(db, now);
  const approvals = createApprovals(now);
  const journal = {
    append: async (entry: LedgerEntry) => void entries.push(entry),
    find: (serial: string) => entries.filter((entry) => entry.serial === serial),
    entries: () => entries,
    read: () => ({ ledger: "", head: "" }),
    close: () => undefined,
  };
  const shared = {
    db,
    tenant: "acme",
    operators: [],
    support: { access: "off" } as const,
    approvals,
    journal,
    serially: createSerially(),
    now,
  };
  const emit = { emit: ({ kind }: { kind: string }) => void events.push(kind) };
  const enrol = createEnrolment({ ...shared, key: { jws: async () => "verdict" }, events: emit });
  const ask = async (): Promise<void> => {
    const raw = csrDer.toString("base64");
    const request = { timestamp: clock.toISOString(), provisionerName: "backend", x509CertificateRequest: { raw } };
    const answer = await enrol("gateways", request);
    if (!answer.allow) throw new Error(answer.error.code);
  };
  const sign = async (_: string, name: string): Promise<string> => {
    meanwhile();
    if (asks) await ask();
    return (await issueFromCsr(authority, csrPem, { name, now: clock })).certPem;
  };
  const certifyGateway = createCertifyGateway({
    ...{ ...shared, gateways, certificates: createCertificates(db, now), events: emit },
    issuers: { gateways: { sign, revoke: async () => undefined, crl: async () => "" } },
    anchorsPem: () => root.certPem,
    revoked: () => {
      announced += 1;
    },
  });
  certify = async (more) => {
    const { record, alongside } = await certifyGateway(
      { name: "gw-01", csrPem, renewing: true, ...more },
      ({ sha256 }) => tokens.renew({ gateway: "gw-01", certificateSha256: sha256 ?? "", lifetimeDays: 90 }),
    );
    return { token: alongside.token, sha256: record.sha256 ?? "" };
  };
});

const states = () =>
  db
    .prepare("SELECT state FROM certificate")
    .all()
    .map(({ state }) => state);
const withDevice = async (): Promise<void> => {
  const { publicKeySpki } = await parseCsr(csrPem);
  const device = { hardwareId: HARDWARE, kind: "gateway", maker: "zeta", model: "TK 100" } as const;
  insertMadeDevice(db, { ...device, publicKey: pointOfSpki(publicKeySpki) }, "record", now());
  gateways.assign("gw-01", HARDWARE);
};

it("gives a certificate and a token that work with each other", async () => {
  const { token, sha256 } = await certify();
  expect(tokens.verify({ gateway: "gw-01", certificateSha256: sha256, token })).toMatchObject({ revokedAtMs: null });
  expect([announced, events]).toEqual([0, ["ENROLLED", "CERT_RENEWED"]]);
});

it("is answered by the webhook that a gateway which was revoked meanwhile gets nothing", async () => {
  meanwhile = () => gateways.revoke("gw-01", "keyCompromise");
  await expect(certify()).rejects.toThrow("revoked-device");
  expect([states(), tokens.list("gw-01")]).toEqual([[], []]);
  expect(events).toEqual(["ENROLMENT_REFUSED"]);
});

const refused = () => tokenErrors.error("TOKEN_REVOKED", "revoked");
it.each<[string, string, () => void, Partial<CertifyRequest>]>([
  ["gateway", "GATEWAY_REVOKED", () => gateways.revoke("gw-01", "keyCompromise"), {}],
  ["device", "GATEWAY_REVOKED", () => createMadeDevices(db, now).revoke(HARDWARE), {}],
  [
    "credential",
    "TOKEN_REVOKED",
    () => undefined,
    {
      assertHolds: () => {
        if (gone) throw refused();
      },
    },
  ],
])("revokes what was signed while the %s was revoked, and gives no token", async (what, code, revoke, more) => {
  if (what === "device") await withDevice();
  asks = false;
  meanwhile = () => {
    revoke();
    gone = true;
  };
  await expect(certify(more)).rejects.toMatchObject({ code });
  expect([states(), tokens.list("gw-01"), announced]).toEqual([["revoked"], [], 1]);
  expect(entries.map(({ kind }) => kind)).toEqual(["issued", "revoked"]);
  expect(endedSessions(db, 0)).toMatchObject([{ name: "gw-01", reason: "certificate-revoked" }]);
  expect(events).toEqual(["CERT_REVOKED"]);
});
it("asks nobody to sign when it is over before", async () => {
  const never = {
    assertHolds: () => {
      throw refused();
    },
  };
  await expect(certify(never)).rejects.toMatchObject({ code: "TOKEN_REVOKED" });
  expect([states(), entries]).toEqual([[], []]);
});

it("revokes with a gateway what was allowed and is not signed yet, so that nothing comes of it", async () => {
  const approvals = createApprovals(now);
  approvals.approve(csrDer, "gw-01");
  const request = { provisioner: "backend", csr: await parseCsr(csrPem), csrDer, deviceDer: undefined };
  const decide = () =>
    decideGateway({ db, tenant: "acme", operators: [], support: { access: "off" } as const, approvals }, request);
  expect(decide().name).toBe("gw-01");
  const insert = "INSERT INTO certificate (serial, issuer, class, name, public_key, not_after, state, recorded_at)";
  db.exec(`${insert} VALUES ('7f', 'TrustKern gateways', 'gateways', 'gw-01', '04', 1, 'expected', 1)`);
  gateways.revoke("gw-01", "keyCompromise");
  expect(states()).toEqual(["revoked"]);
  expect(decide).toThrow(expect.objectContaining({ code: "DENIED_REVOKED_DEVICE" }));
});
