import type { DatabaseSync } from "node:sqlite";
import { assertCsrFor, parseCsr } from "../../../certs/csr.ts";
import { denial } from "../../../certs/denial.ts";
import { x509 } from "../../../certs/x509.ts";
import type { SecurityEvents } from "../../runtime/security-events.ts";
import { fleetErrors } from "../fleet/errors.ts";
import type { Gateways } from "../fleet/gateways.ts";
import { findMadeDevice } from "../fleet/made-devices.ts";
import type { CertificateRecord, Certificates } from "../revocation/certificates.ts";
import { verifiedChain } from "../revocation/chain.ts";
import type { Approvals } from "./approvals.ts";
import { pointOfSpki } from "./csr-key.ts";
import type { Issuers } from "./issuing.ts";

/** A new certificate of a gateway: the leaf and its issuer, PEM, and its record. */
export interface CertifiedGateway {
  readonly chain: string;
  readonly record: CertificateRecord;
}

/**
 * Has the issuer certify a gateway's request. A gateway with a maker's record gets nothing but its root-of-trust key
 * certified; one whose key the deployment made may bring a new key with its next certificate.
 * @param renewing true when the gateway itself asks, with a certificate and a token that hold
 * @throws ISSUING_NONE, ISSUING_FAILED, GATEWAY_UNKNOWN, GATEWAY_REVOKED, DENIED_…
 */
export type CertifyGateway = (name: string, csrPem: string, renewing: boolean) => Promise<CertifiedGateway>;

/** What {@link createCertifyGateway} works with. */
export interface CertifyOptions {
  readonly db: DatabaseSync;
  readonly tenant: string;
  readonly issuers: Issuers;
  readonly approvals: Approvals;
  readonly gateways: Pick<Gateways, "requireActive">;
  readonly certificates: Pick<Certificates, "record">;
  readonly anchorsPem: () => string;
  readonly events: Pick<SecurityEvents, "emit">;
  readonly now: () => number;
}

/** Certificates for gateways that ask the backend. */
export function createCertifyGateway(options: CertifyOptions): CertifyGateway {
  const { db, tenant, issuers, approvals, gateways, certificates, anchorsPem, events, now } = options;
  return async (name, csrPem, renewing) => {
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
    const record = certificates.record(verified);
    events.emit({ kind: renewing ? "CERT_RENEWED" : "CERT_ISSUED", actor: name, object: record.serial, reason: name });
    return { chain, record };
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
