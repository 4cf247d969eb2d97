import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoredAuthority } from "../../certs/authority.ts";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueRoot } from "../../certs/classes/root.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { bytesOfHex } from "../../protocol/hex.ts";
import { importP256Point } from "../../protocol/signature.ts";
import type { IssuingCa } from "../../services/backend/enrolment/issuing.ts";
import { createBackendClient } from "../../services/gateway/identity/backend-client.ts";
import { createConfiguration } from "../../services/gateway/identity/configuration.ts";
import { createIdentity, type Identity } from "../../services/gateway/identity/identity.ts";
import { openIdentityFile } from "../../services/gateway/identity/identity-file.ts";
import { createRenewal } from "../../services/gateway/identity/renewal.ts";
import { createSync, type Sync } from "../../services/gateway/identity/sync.ts";
import { anchorsIn } from "../../services/runtime/tls-set.ts";
import { fingerprintOf } from "../../stacks/host/pem.ts";
import { gatewaysOnRecord } from "../../stacks/host/rotation/gateways-elsewhere.ts";
import { TestBackend } from "./backend/in-process.ts";
import { OnlineCa } from "./backend/online-ca.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

const PINS = ["ab".repeat(32), "cd".repeat(32)];
let own: Authorities;
let admin: CertifiedKey;
let backend: TestBackend;
let gateway: RealGateway;
/** The authority that the issuer works with. */
let issuing: OnlineCa;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  admin = await leafOf(own, "op-admin");
});
beforeEach(async () => {
  const issuer: IssuingCa = {
    sign: (csr, name) => issuing.sign(csr, name),
    revoke: (serial) => issuing.revoke(serial),
    crl: () => issuing.crl(),
  };
  backend = new TestBackend(own, { gateways: issuer });
  await backend.start();
  issueWith(own.issuers.gateways);
  gateway = await RealGateway.make();
  await announce({ authorities: [own.issuers.gateways] });
});
afterEach(() => {
  gateway.stop();
  backend.close();
});

function issueWith(authority: StoredAuthority): void {
  issuing = new OnlineCa(authority);
  issuing.backend = backend;
}

const operator = async (method: "GET" | "POST" | "PUT", path: string, body?: unknown): Promise<unknown> => {
  const reply = await backend.call(admin, method, path, { body });
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply.body;
};
const announce = ({
  anchors = [own.root.certPem],
  authorities,
}: {
  anchors?: readonly string[];
  authorities?: readonly StoredAuthority[];
} = {}) =>
  operator("PUT", "/v1/trust", {
    anchors,
    broker_pins: PINS,
    ...(authorities && { gateway_authorities: authorities.map(({ certPem }) => fingerprintOf(certPem)) }),
  });
const onRecord = async () => (await gatewaysOnRecord(operator, [])).find(({ name }) => name === "gw-77");
const authorityOnRecord = async () => (await onRecord())?.elsewhere?.authority;

/** The parts of a gateway that talk with the backend, as a gateway's process puts them together. */
class RealGateway {
  readonly #folder = mkdtempSync(join(tmpdir(), "tk-ge-"));
  readonly failures: unknown[] = [];
  renewed = 0;
  identity!: Identity;
  #sync!: Sync;

  static async make(): Promise<RealGateway> {
    const made = new RealGateway();
    const leaf = await leafOf(own, "gw-77");
    const { serial } = (await operator("POST", "/v1/certificates", { chain_pem: leaf.certPem })) as { serial: string };
    const body = { certificate_serial: serial };
    const { token } = (await operator("POST", "/v1/gateways/gw-77/tokens", body)) as { token: string };
    writeFileSync(join(made.#folder, "token"), token);
    made.#start(leaf);
    return made;
  }

  #start({ certPem: cert, keyPem: key }: CertifiedKey): void {
    const now = Date.now;
    const onFailure = (thrown: unknown): void => void this.failures.push(thrown);
    const stored = new Map<string, string>();
    const documents = {
      get: (name: string) => stored.get(name),
      put: (name: string, text: string) => void stored.set(name, text),
    };
    const backendKey = importP256Point(bytesOfHex(backend.key.publicKey));
    const common = { gateway: "gw-77", now };
    const configuration = createConfiguration({
      ...{ gateway: "gw-77", backendKey, documents, files: () => "files", onError: onFailure },
    });
    const ca = (): string => configuration.held()?.anchors.join("\n") ?? own.root.certPem;
    const file = openIdentityFile(this.#folder, onFailure);
    const tokenFile = join(this.#folder, "token");
    this.identity = createIdentity({ ...common, file, configured: { cert, key }, ca, tokenFile });
    const { identity } = this;
    const client = createBackendClient({ target: backend.target, identity, now, random: () => 0 });
    const renewal = createRenewal({
      ...{ ...common, client, identity, file, ca, onFailure },
      authorities: () => configuration.held()?.gatewayAuthorities ?? [],
      onRenewed: () => {
        this.renewed += 1;
      },
    });
    this.#sync = createSync({
      ...{ client, configuration, trust: { take: () => undefined }, intervalMs: 200, now },
      inForce: () => ({ anchors: anchorsIn(ca()), pins: configuration.held()?.brokerPins ?? [] }),
      onConfiguration: () => void renewal.tick(),
      onFailure: (_, thrown) => onFailure(thrown),
    });
    this.#sync.refresh();
  }

  stop(): void {
    this.#sync.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

describe("a gateway elsewhere", () => {
  it("says by itself what it trusts, and shows its leaf, within a fetch", async () => {
    const wanted = {
      anchors: [fingerprintOf(own.root.certPem)],
      pins: PINS,
      elsewhere: { authority: fingerprintOf(own.issuers.gateways.certPem) },
    };
    await expect.poll(onRecord, { timeout: 10_000 }).toMatchObject(wanted);
    expect([gateway.renewed, gateway.failures]).toEqual([0, []]);
  });

  it("takes another root beside the old one, and says so only then", async () => {
    const next = (await issueRoot({ tenant: "acme", now: new Date() })).authority;
    const both = [own.root.certPem, next.certPem];
    await announce({ anchors: both });
    await expect.poll(async () => (await onRecord())?.anchors, { timeout: 10_000 }).toEqual(both.map(fingerprintOf));
    // The backend does not answer under this root alone, so it would be the last word that the gateway takes.
    await announce({ anchors: [next.certPem] });
    await expect.poll(() => gateway.failures.length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect((await onRecord())?.anchors).toEqual(both.map(fingerprintOf));
  });

  it("renews at once when its authority has got another certificate, and when there is another authority", async () => {
    const now = new Date();
    for (let round = 1; round <= 2; round += 1) {
      const { authority } = await issueIntermediate(own.root, { leafClass: "gateways", now });
      issueWith(authority);
      await announce({ authorities: [authority] });
      await expect.poll(authorityOnRecord, { timeout: 10_000 }).toBe(fingerprintOf(authority.certPem));
      expect([gateway.renewed, gateway.failures]).toEqual([round, []]);
    }
  });

  it("keeps its leaf, works on, and is known to be behind, where nobody gives it another", async () => {
    const { authority } = await issueIntermediate(own.root, { leafClass: "gateways", now: new Date() });
    // Told too early: the issuer still works with the old one.
    await announce({ authorities: [authority] });
    await expect.poll(() => gateway.renewed, { timeout: 10_000 }).toBe(1);
    expect(await authorityOnRecord()).toBe(fingerprintOf(own.issuers.gateways.certPem));
    const before = gateway.identity.credentials()[0]?.sha256;
    await expect.poll(onRecord, { timeout: 10_000 }).toMatchObject({ pins: PINS });
    expect([gateway.renewed, gateway.identity.credentials()[0]?.sha256, gateway.failures]).toEqual([1, before, []]);
  });

  it("is off the record once it is revoked", async () => {
    await expect.poll(authorityOnRecord, { timeout: 10_000 }).toBeDefined();
    await operator("POST", "/v1/gateways/gw-77/revoke", {});
    expect(await onRecord()).toBeUndefined();
  });
});
