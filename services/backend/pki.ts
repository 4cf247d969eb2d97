import type { DatabaseSync } from "node:sqlite";
import type { FleetCertificate } from "../../certs/fleet-inventory.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import type { Route } from "../runtime/http.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";
import type { BackendConfig } from "./config.ts";
import { deviceRoutes } from "./device-routes.ts";
import { createApprovals } from "./enrolment/approvals.ts";
import { createCertifyGateway } from "./enrolment/certify.ts";
import { createEnrolment } from "./enrolment/enrolment.ts";
import type { Issuers } from "./enrolment/issuing.ts";
import { createRenewals } from "./enrolment/renewals.ts";
import { recordBuiltIn } from "./fleet/built-in.ts";
import { createContacts } from "./fleet/contacts.ts";
import { createGateways, gatewayOfDevice } from "./fleet/gateways.ts";
import { createMadeDevices } from "./fleet/made-devices.ts";
import { createMakers } from "./fleet/makers.ts";
import { isRevokedGateway } from "./fleet/standing.ts";
import { fleetRoutes } from "./fleet-routes.ts";
import { createGate, type Gate } from "./gate.ts";
import { enrolmentRoutes, gatewayRoutes } from "./gateway-routes.ts";
import { createSerially, type Journal } from "./journal.ts";
import { pkiRoutes } from "./pki-routes.ts";
import { createRecorder } from "./recorder.ts";
import { finishRevocations } from "./recovery.ts";
import { createAuthorities } from "./revocation/authorities.ts";
import { createCertificates, findCertificate } from "./revocation/certificates.ts";
import { createCrls } from "./revocation/crls.ts";
import { createRevoker } from "./revocation/revoker.ts";
import { tokenRoutes } from "./token-routes.ts";
import { createEnrolmentTokens } from "./tokens/enrolment-tokens.ts";
import { createLockOut } from "./tokens/lock-out.ts";
import { createTokens } from "./tokens/tokens.ts";
import type { Allowlists } from "./trust/allowlists.ts";
import { createGatewaySettings } from "./trust/gateway-trust.ts";
import type { SigningKey } from "./trust/keys.ts";

/** What {@link createPki} works with. */
export interface PkiOptions {
  readonly config: Pick<BackendConfig, "tenant" | "operators" | "support" | "gateways" | "madeDevices">;
  readonly db: DatabaseSync;
  readonly key: SigningKey;
  readonly journal: Journal;
  readonly issuers: Issuers;
  readonly allowlists: Pick<Allowlists, "signed">;
  readonly publisher: { readonly allowlistsChanged: () => void };
  readonly anchorsPem: () => string;
  readonly events: Pick<SecurityEvents, "emit">;
  readonly limiter: Pick<EventLimiter, "report">;
  readonly log: { readonly warn: (fields: object, message: string) => void };
  readonly now: () => number;
}

/** The backend's part in certificates, tokens and revocation. */
export interface Pki {
  readonly gate: Gate;
  readonly routes: readonly Route[];
  /** Certificates that lists revoked, and nobody had asked the backend for it. */
  readonly unorderedRevocations: () => number;
  /** All certificates on record. */
  readonly inventory: () => readonly FleetCertificate[];
  /** Takes the issuers' newest revocation lists; one round at a time. */
  readonly refresh: () => Promise<void>;
}

/**
 * Puts the parts together on the registry's database.
 * @throws DEVICE_RECORD_CONFLICT for configured devices that contradict what is on record
 */
export function createPki(options: PkiOptions): Pki {
  const { config, db, key, journal, issuers, allowlists, publisher, anchorsPem, events, limiter, log, now } = options;
  const { tenant, operators, support } = config;
  const shared = { db, tenant, journal, issuers, anchorsPem, events, serially: createSerially(), now };
  const gateways = createGateways(db, now);
  const contacts = createContacts(db, now);
  for (const name of config.gateways) gateways.ensure(name);
  const built = config.madeDevices.map(({ hardware_id, public_key, ...rest }) => ({
    ...rest,
    hardwareId: hardware_id,
    publicKey: public_key,
  }));
  recordBuiltIn(db, built, now());
  const certificates = createCertificates(db, now);
  const authorities = createAuthorities({ db, anchorsPem });
  const crls = createCrls({ db, authorities, now });
  const tokens = createTokens(db, now);
  const enrolmentTokens = createEnrolmentTokens(db, now);
  const approvals = createApprovals(now);
  const revoker = createRevoker({ ...shared, crls, log });
  const refresh = oneAtATime(revoker.run);
  const revoked = (): void => void refresh();
  const recorder = createRecorder({ ...shared, certificates, authorities, revoked });
  finishRevocations({ db, journal, events, now });
  const certify = createCertifyGateway({ ...shared, approvals, gateways, certificates, revoked });
  const settings = createGatewaySettings(db, tenant, now);
  const renewals = createRenewals({ authorities: settings.gatewayAuthorities, now });
  const isRevoked = (serial: string): boolean => findCertificate(db, serial)?.state === "revoked";
  const gate = createGate({
    tenant,
    support,
    tokens,
    enrolmentTokens,
    lockOut: createLockOut(db, now),
    certificates: { seen: certificates.seen, isRevoked },
    gateways: {
      isRevoked: (name) => isRevokedGateway(db, name),
      nameOfDevice: (hardwareId) => gatewayOfDevice(db, hardwareId)?.name,
      onStray: (chainPem) =>
        void recorder.record(chainPem, "svc-backend").catch(({ code, message }) => {
          if (code !== "GATEWAY_REVOKED")
            log.warn({ reason: message }, "cannot revoke a revoked gateway's certificate");
        }),
    },
    crls,
    events: limiter,
    now,
  });
  const fleet = { makers: createMakers(db, now), madeDevices: createMadeDevices(db, now), gateways };
  return {
    gate,
    refresh,
    unorderedRevocations: revoker.unordered,
    inventory: () =>
      certificates.list().map(({ notBeforeMs, notAfterMs, ...record }) => ({
        ...record,
        notBefore: new Date(notBeforeMs),
        notAfter: new Date(notAfterMs),
      })),
    routes: [
      ...enrolmentRoutes(createEnrolment({ ...shared, operators, support, approvals, key })),
      ...fleetRoutes({ ...shared, ...fleet, contacts, certify, recorder, publisher }),
      ...pkiRoutes({
        ...shared,
        certificates,
        crls,
        authorities,
        revoker: { ...revoker, run: refresh },
        recorder,
        settings,
      }),
      ...tokenRoutes({ gateways, certificates, tokens, enrolmentTokens, events }),
      ...deviceRoutes({ db, tenant, gate, enrolmentTokens, certify, tokens, events }),
      ...gatewayRoutes({ gate, contacts, allowlists, settings, key, renewals, certify, tokens, events, now }),
    ],
  };
}

/** Calls that come while one runs share the one that follows it. */
function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  const start = (): Promise<void> => {
    running = run().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (!running) return start();
    waiting ??= running.then(() => {
      waiting = undefined;
      return start();
    });
    return waiting;
  };
}
