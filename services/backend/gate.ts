import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { denial } from "../../certs/denial.ts";
import { normalSerial } from "../../certs/serial.ts";
import { webhookPeer } from "../../certs/step-ca/webhook-peer.ts";
import { assertSupport, type SupportAccess } from "../../certs/support.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import { callerOf } from "../runtime/mutual-server.ts";
import { mayCall } from "./access.ts";
import { type DeviceCertificate, shownDevice } from "./enrolment/device-certificate.ts";
import { backendErrors } from "./errors.ts";
import { fleetErrors } from "./fleet/errors.ts";
import type { Certificates, PeerCertificate } from "./revocation/certificates.ts";
import { sha256Of } from "./revocation/chain.ts";
import type { Crls } from "./revocation/crls.ts";
import type { EnrolmentToken, EnrolmentTokens } from "./tokens/enrolment-tokens.ts";
import { tokenErrors } from "./tokens/errors.ts";
import type { Attempt, LockOut } from "./tokens/lock-out.ts";
import { bearerToken } from "./tokens/secret.ts";
import type { TokenRecord, Tokens } from "./tokens/tokens.ts";

const ENROLMENT = /^\/v1\/enrolment\/(gateways|operators)$/;

/** Where a made device enrols with a one-time token. */
export const DEVICE_ENROLMENT = "/v1/device/enrolment";

/** A made device that showed its certificate and an enrolment token of the gateway that it is. */
export interface DeviceCaller {
  /** Of its certificate. */
  readonly der: Buffer;
  readonly enrolmentToken: EnrolmentToken;
}

/** A gateway that showed its certificate and a token bound to it. */
export interface GatewayCaller extends PeerCertificate {
  readonly token: TokenRecord;
}

/** Decides who gets past, before anything of a request is read. */
export interface Gate {
  /** @throws BACKEND_ROLE_REFUSED, CERTIFICATE_REVOKED, GATEWAY_REVOKED, ENROLMENT_PEER_REFUSED, IDENTITY_LOCKED, DENIED_…, TOKEN_…, ENROLMENT_TOKEN_… */
  readonly admit: (message: IncomingMessage, pathname: string) => void;
  /** Whole seconds, from 1, until the lock ends that a request was refused for. */
  readonly lockedSeconds: (message: IncomingMessage) => number;
  /** Throws when what a gateway was admitted with was revoked since. @throws CERTIFICATE_REVOKED, TOKEN_REVOKED */
  readonly assertHolds: (message: IncomingMessage) => void;
  /** The gateway that a request was admitted for. */
  readonly gatewayOf: (message: IncomingMessage) => GatewayCaller;
  /** The made device that a request was admitted for. */
  readonly deviceOf: (message: IncomingMessage) => DeviceCaller;
  /** Who sends a request: the name of a certificate, `device` and a hardware id, or `unknown`. */
  readonly nameOf: (message: IncomingMessage) => string;
}

/** What {@link createGate} works with. */
export interface GateOptions {
  readonly tenant: string;
  /** When the vendor's staff get in. */
  readonly support: SupportAccess;
  readonly tokens: Pick<Tokens, "verify" | "list">;
  readonly enrolmentTokens: Pick<EnrolmentTokens, "verify">;
  readonly lockOut: LockOut;
  readonly certificates: Pick<Certificates, "seen"> & { readonly isRevoked: (serial: string) => boolean };
  readonly gateways: {
    readonly isRevoked: (name: string) => boolean;
    /** Name of the gateway that a made device is. */
    readonly nameOfDevice: (hardwareId: string) => string | undefined;
    /** Hears of a certificate, leaf and issuer in PEM, that was made for a revoked gateway and that nobody has told of. */
    readonly onStray: (chainPem: string) => void;
  };
  readonly crls: Pick<Crls, "names">;
  readonly events: Pick<EventLimiter, "report">;
  readonly now: () => number;
}

/** The one gate of the backend's server. */
export function createGate(options: GateOptions): Gate {
  const admitted = new WeakMap<IncomingMessage, GatewayCaller>();
  const devices = new WeakMap<IncomingMessage, DeviceCaller>();
  const names = new WeakMap<IncomingMessage, string>();
  const nameOf = (message: IncomingMessage): string => callerOf(message) ?? names.get(message) ?? "unknown";
  const gatewayOf = (message: IncomingMessage): GatewayCaller => {
    const caller = admitted.get(message);
    if (caller) return caller;
    throw backendErrors.error("BACKEND_ROLE_REFUSED", "only a gateway may do that");
  };
  return {
    gatewayOf,
    nameOf,
    deviceOf: (message) => {
      const device = devices.get(message);
      if (device) return device;
      throw backendErrors.error("BACKEND_ROLE_REFUSED", "only a made device may do that");
    },
    assertHolds: (message) => {
      const { name, serial, issuer, token } = gatewayOf(message);
      assertNotListed(options, issuer, serial);
      if (options.tokens.list(name).find(({ id }) => id === token.id)?.revokedAtMs !== null)
        throw tokenErrors.error("TOKEN_REVOKED", `token ${token.id} of gateway ${name} is revoked`);
    },
    admit: (message, pathname) => {
      const peer = (message.socket as TLSSocket).getPeerCertificate(true);
      assertNotRevoked(options, peer);
      const [, leafClass] = ENROLMENT.exec(pathname) ?? [];
      if (leafClass !== undefined) {
        assertIssuer(options, message, peer, leafClass);
        return;
      }
      if (pathname === DEVICE_ENROLMENT) {
        const shown = shownDevice(peer, options.tenant);
        names.set(message, `device ${shown.hardwareId}`);
        const enrolmentToken = admitDevice(options, message, shown);
        devices.set(message, { der: peer.raw, enrolmentToken });
        return;
      }
      const name = callerOf(message);
      if (!mayCall(name, message.method ?? "", pathname))
        throw backendErrors.error("BACKEND_ROLE_REFUSED", `${name ?? "unknown"} may not ${message.method} ${pathname}`);
      if (name !== null) assertSupport(options.support, name, new Date(options.now()));
      if (name?.startsWith("gw-")) assertNoStray(options, peer, name);
      if (name?.startsWith("gw-")) admitted.set(message, admitGateway(options, message, peerOf(peer, name)));
    },
    lockedSeconds: (message) => {
      const attempt = attemptOf(options, message, nameOf(message));
      const leftMs = (options.lockOut.lockedUntil(attempt) ?? 0) - options.now();
      return Math.max(1, Math.ceil(leftMs / 1000));
    },
  };
}

function assertNotListed({ certificates, crls }: GateOptions, issuer: string, serial: string): void {
  if (certificates.isRevoked(serial) || crls.names(issuer, serial))
    throw tokenErrors.error("CERTIFICATE_REVOKED", `certificate ${serial} of "${issuer}" is revoked`);
}

function assertNotRevoked(options: GateOptions, peer: DetailedPeerCertificate): void {
  const { crls } = options;
  const issuer = nameOf(peer.issuer?.CN);
  assertNotListed(options, issuer, normalSerial(peer.serialNumber));
  const authority = peer.issuerCertificate;
  if (!authority?.serialNumber || authority === peer) return;
  if (crls.names(nameOf(authority.issuer?.CN), normalSerial(authority.serialNumber)))
    throw tokenErrors.error("CERTIFICATE_REVOKED", `the authority "${issuer}" is revoked`);
}

/** A revoked gateway has no certificate that is on record and holds, so this one was made behind the backend's back. */
function assertNoStray({ gateways }: GateOptions, peer: DetailedPeerCertificate, name: string): void {
  if (!gateways.isRevoked(name)) return;
  gateways.onStray([peer, peer.issuerCertificate].map(({ raw }) => new X509Certificate(raw).toString()).join(""));
  throw fleetErrors.error("GATEWAY_REVOKED", `gateway ${name} is revoked`);
}

function assertIssuer(
  { tenant }: GateOptions,
  message: IncomingMessage,
  peer: DetailedPeerCertificate,
  leafClass: string,
): void {
  const found = (message.socket as TLSSocket).authorized ? webhookPeer(peer, tenant) : null;
  if (found === leafClass && message.method === "POST") return;
  const who = found === null ? (callerOf(message) ?? "unknown") : `${found}-ca`;
  throw fleetErrors.error("ENROLMENT_PEER_REFUSED", `${who} may not ask about ${leafClass}`);
}

/** Certificate and token, both: a wrong token counts towards the lock-out of this name from this address alone. */
function admitGateway(options: GateOptions, message: IncomingMessage, peer: PeerCertificate): GatewayCaller {
  const { tokens, certificates } = options;
  const attempt = unlockedAttempt(options, message, peer.name);
  certificates.seen(peer);
  return { ...peer, token: counting(options, attempt, () => verifiedToken(tokens, message, peer)) };
}

/** As of a gateway: a wrong enrolment token counts towards the lock-out of this device from this address alone. */
function admitDevice(
  options: GateOptions,
  message: IncomingMessage,
  { hardwareId }: DeviceCertificate,
): EnrolmentToken {
  const gateway = options.gateways.nameOfDevice(hardwareId);
  if (gateway === undefined) throw denial("name-not-allowed", `device ${hardwareId} has no name yet`);
  if (options.gateways.isRevoked(gateway)) throw fleetErrors.error("GATEWAY_REVOKED", `gateway ${gateway} is revoked`);
  return counting(options, unlockedAttempt(options, message, `device ${hardwareId}`), () => {
    const token = bearerToken(message.headers.authorization, "enrolment");
    if (token === null || token === "malformed")
      throw tokenErrors.error("ENROLMENT_TOKEN_INVALID", `device ${hardwareId} sent no enrolment token`);
    return options.enrolmentTokens.verify({ gateway, hardwareId, token });
  });
}

/** @throws IDENTITY_LOCKED */
function unlockedAttempt(options: GateOptions, message: IncomingMessage, name: string): Attempt {
  const attempt = attemptOf(options, message, name);
  const until = options.lockOut.lockedUntil(attempt);
  if (until !== null) throw locked(name, until);
  return attempt;
}

/** A check whose failure counts towards the lock-out. */
function counting<T>({ lockOut, events }: GateOptions, attempt: Attempt, check: () => T): T {
  try {
    return check();
  } catch (thrown) {
    const lockedUntil = lockOut.failed(attempt);
    if (lockedUntil !== null)
      events.report({
        kind: "IDENTITY_LOCKED",
        actor: attempt.name,
        sourceAddress: attempt.address,
        object: attempt.name,
        reason: `until ${new Date(lockedUntil).toISOString()}`,
      });
    throw thrown;
  }
}

function attemptOf({ tenant }: GateOptions, { socket }: IncomingMessage, name: string): Attempt {
  return { tenant, name, address: socket.remoteAddress ?? "unknown" };
}

function verifiedToken(tokens: Pick<Tokens, "verify">, message: IncomingMessage, peer: PeerCertificate): TokenRecord {
  const token = bearerToken(message.headers.authorization);
  if (token === null) throw tokenErrors.error("TOKEN_MISSING", `${peer.name} sent no bearer token`);
  if (token === "malformed")
    throw tokenErrors.error("TOKEN_INVALID", `what ${peer.name} sent is no token of a gateway`);
  return tokens.verify({ gateway: peer.name, certificateSha256: peer.sha256, token });
}

function locked(name: string, until: number): Error {
  return tokenErrors.error(
    "IDENTITY_LOCKED",
    `${name} is locked out from this address until ${new Date(until).toISOString()}`,
  );
}

function peerOf(peer: DetailedPeerCertificate, name: string): PeerCertificate {
  return { name, serial: normalSerial(peer.serialNumber), sha256: sha256Of(peer), issuer: nameOf(peer.issuer?.CN) };
}

function nameOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
