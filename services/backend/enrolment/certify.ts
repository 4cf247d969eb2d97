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
import type { CertificateRecord, Certificates } from "../revocation/certificates.ts";
import { verifiedChain } from "../revocation/chain.ts";
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
}

/**
 * Has the issuer certify a gateway's request. A gateway with a maker's record gets nothing but its root-of-trust key
 * certified; one whose key the deployment made may bring a new key with its next certificate.
 * @param alongside is done in the same transaction as the record of the certificate
 * @throws ISSUING_NONE, ISSUING_FAILED, GATEWAY_UNKNOWN, GATEWAY_REVOKED, DENIED_…
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
  readonly certificates: Pick<Certificates, "record">;
  readonly journal: Journal;
  readonly serially: Serially;
  readonly anchorsPem: () => string;
  readonly events: Pick<SecurityEvents, "emit">;
  readonly now: () => number;
}

/** Certificates for gateways that ask the backend. */
export function createCertifyGateway(options: CertifyOptions): CertifyGateway {
  const { db, tenant, issuers, approvals, gateways, certificates, journal, serially, anchorsPem, events, now } =
    options;
  return async ({ name, csrPem, renewing }, alongside) => {
    const issuer = issuers.gateways;
    if (!issuer) throw fleetErrors.error("ISSUING_NONE", "no issuer of gateways' certificates runs here");
    const { hardwareId } = gateways.requireActive(name);
    const csr = await parseCsr(csrPem);
    assertCsrFor(csr, { leafClass: "gateways", tenant, name });
    assertKey(db, hardwareId, pointOfSpki(csr.publicKeySpki), renewing);
    approvals.approve(new Uint8Array(new x509.Pkcs10CertificateRequest(csrPem).rawData), name);
    const chain = await issuer.sign(csrPem, name);
    const verified = verifiedChain(chain, anchorsPem(), now());
    if (verified.name !== name || verified.leafClass !== "gateways")
      throw fleetErrors.error("ISSUING_FAILED", `the issuer certified "${verified.name}", not ${name}`);
    const certified = await serially(async () => {
      await journalOnce(journal, chainEntry(verified, { kind: "issued", actor: name, reason: "certified" }));
      return transaction(db, () => {
        const record = certificates.record(verified);
        return { chain, record, alongside: alongside(record) };
      });
    });
    const kind = renewing ? "CERT_RENEWED" : "CERT_ISSUED";
    events.emit({ kind, actor: name, object: verified.serial, reason: name });
    return certified;
  };
}

function assertKey(db: DatabaseSync, hardwareId: string | null, publicKey: string, renewing: boolean): void {
  const device = hardwareId === null ? undefined : findMadeDevice(db, hardwareId);
  if (device?.state === "revoked") throw denial("revoked-device", `device ${device.hardwareId} is revoked`);
  if (renewing && device?.source !== "record") return;
  if (!device) throw denial("unknown-device", "no record names the key of the gateway");
  if (device.publicKey !== publicKey)
    throw denial("foreign-name", `the request's key is not the root-of-trust key of device ${device.hardwareId}`);
}
