import type { DatabaseSync } from "node:sqlite";
import { assertCsrFor, parseCsr } from "../../../certs/csr.ts";
import { denial } from "../../../certs/denial.ts";
import { x509 } from "../../../certs/x509.ts";
import type { SecurityEvents } from "../../runtime/security-events.ts";
import { fleetErrors } from "../fleet/errors.ts";
import type { Gateways } from "../fleet/gateways.ts";
import { findMadeDevice } from "../fleet/made-devices.ts";
import { chainEntry, type Journal, journalOnce, type Serially } from "../journal.ts";
import { transaction } from "../registry/database.ts";
import { type CertificateRecord, type Certificates, findCertificate } from "../revocation/certificates.ts";
import { type VerifiedChain, verifiedChain } from "../revocation/chain.ts";
import { tokenErrors } from "../tokens/errors.ts";
import type { Approvals } from "./approvals.ts";
import { pointOfSpki } from "./csr-key.ts";
import type { Issuers } from "./issuing.ts";

/** A new certificate of a gateway: the leaf and its issuer, PEM, and its record. */
export interface CertifiedGateway<T> {
  readonly chain: string;
  readonly record: CertificateRecord;
  /** What was made with it. */
  readonly alongside: T;
}

/** What a gateway, or somebody for it, asks. */
export interface CertifyRequest {
  readonly name: string;
  readonly csrPem: string;
  /** True when the gateway itself asks, with a certificate and a token that hold. */
  readonly renewing: boolean;
  /** Throws when what the caller showed was revoked since it asked. @default nothing is looked at again */
  readonly assertHolds?: () => void;
}

/**
 * Has the issuer certify a gateway's request. A gateway with a maker's record gets nothing but its root-of-trust key
 * certified; one whose key the deployment made may bring a new key with its next certificate.
 * Signing takes a while, and whoever is revoked meanwhile gets nothing: the transaction of the record looks once more, and
 * what was signed is then revoked itself.
 * @param alongside is done in the same transaction as the record of the certificate
 * @throws ISSUING_NONE, ISSUING_FAILED, GATEWAY_UNKNOWN, GATEWAY_REVOKED, CERTIFICATE_REVOKED, TOKEN_REVOKED, DENIED_…
 */
export type CertifyGateway = <T>(
  request: CertifyRequest,
  alongside: (record: CertificateRecord) => T,
) => Promise<CertifiedGateway<T>>;

/** What {@link createCertifyGateway} works with. */
export interface CertifyOptions {
  readonly db: DatabaseSync;
  readonly tenant: string;
  readonly issuers: Issuers;
  readonly approvals: Approvals;
  readonly gateways: Pick<Gateways, "requireActive">;
  readonly certificates: Pick<Certificates, "record" | "revoke">;
  readonly journal: Journal;
  readonly serially: Serially;
  readonly anchorsPem: () => string;
  readonly events: Pick<SecurityEvents, "emit">;
  /** Called after a revocation. */
  readonly revoked: () => void;
  readonly now: () => number;
}

/** Certificates for gateways that ask the backend. */
export function createCertifyGateway(options: CertifyOptions): CertifyGateway {
  const { db, tenant, issuers, approvals, gateways, certificates, journal, serially, events, now } = options;
  return async ({ name, csrPem, renewing, assertHolds }, alongside) => {
    const issuer = issuers.gateways;
    if (!issuer) throw fleetErrors.error("ISSUING_NONE", "no issuer of gateways' certificates runs here");
    const csr = await parseCsr(csrPem);
    const publicKey = pointOfSpki(csr.publicKeySpki);
    const assertMay = (): void => {
      assertKey(db, gateways.requireActive(name).hardwareId, publicKey, renewing);
      assertHolds?.();
    };
    assertCsrFor(csr, { leafClass: "gateways", tenant, name });
    assertMay();
    approvals.approve(new Uint8Array(new x509.Pkcs10CertificateRequest(csrPem).rawData), name);
    const chain = await issuer.sign(csrPem, name);
    const verified = verifiedChain(chain, options.anchorsPem(), now());
    if (verified.name !== name || verified.leafClass !== "gateways")
      throw fleetErrors.error("ISSUING_FAILED", `the issuer certified "${verified.name}", not ${name}`);
    const certified = await serially(async () => {
      await journalOnce(journal, chainEntry(verified, { kind: "issued", actor: name, reason: "certified" }));
      const kept = transaction(db, () => {
        const refusal = errorOf(assertMay) ?? errorOf(() => assertStands(db, verified.serial));
        if (refusal !== undefined) return { refusal };
        const record = certificates.record(verified);
        return { certified: { chain, record, alongside: alongside(record) } };
      });
      if (kept.certified) return kept.certified;
      await withdraw(options, verified);
      throw kept.refusal;
    });
    const kind = renewing ? "CERT_RENEWED" : "CERT_ISSUED";
    events.emit({ kind, actor: name, object: verified.serial, reason: name });
    return certified;
  };
}

/** Revokes what was signed for somebody who may not have it any more. */
async function withdraw(
  { db, certificates, journal, events, revoked }: CertifyOptions,
  verified: VerifiedChain,
): Promise<void> {
  const reason = "cessationOfOperation";
  const { serial, name: actor } = verified;
  await journalOnce(journal, chainEntry(verified, { kind: "revoked", actor, reason }));
  transaction(db, () => {
    certificates.record(verified);
    certificates.revoke(serial, reason);
  });
  events.emit({ kind: "CERT_REVOKED", actor, object: serial, reason: "revoked while it was issued" });
  revoked();
}

/** Its serial number was given away with the permission, which may have been revoked since. */
function assertStands(db: DatabaseSync, serial: string): void {
  if (findCertificate(db, serial)?.state === "revoked")
    throw tokenErrors.error("CERTIFICATE_REVOKED", `certificate ${serial} is revoked`);
}

function errorOf(assert: () => void): unknown {
  try {
    assert();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

function assertKey(db: DatabaseSync, hardwareId: string | null, publicKey: string, renewing: boolean): void {
  const device = hardwareId === null ? undefined : findMadeDevice(db, hardwareId);
  if (device?.state === "revoked") throw denial("revoked-device", `device ${device.hardwareId} is revoked`);
  if (renewing && device?.source !== "record") return;
  if (!device) throw denial("unknown-device", "no record names the key of the gateway");
  if (device.publicKey !== publicKey)
    throw denial("foreign-name", `the request's key is not the root-of-trust key of device ${device.hardwareId}`);
}
