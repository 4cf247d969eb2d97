import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { normalSerial } from "../../certs/serial.ts";
import { webhookPeer } from "../../certs/step-ca/webhook-peer.ts";
import { assertSupport, type SupportAccess } from "../../certs/support.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import { callerOf } from "../runtime/mutual-server.ts";
import { mayCall } from "./access.ts";
import { backendErrors } from "./errors.ts";
import { fleetErrors } from "./fleet/errors.ts";
import type { Certificates, PeerCertificate } from "./revocation/certificates.ts";
import { sha256Of } from "./revocation/chain.ts";
import type { Crls } from "./revocation/crls.ts";
import { tokenErrors } from "./tokens/errors.ts";
import type { Attempt, LockOut } from "./tokens/lock-out.ts";
import { bearerToken } from "./tokens/secret.ts";
import type { TokenRecord, Tokens } from "./tokens/tokens.ts";

const ENROLMENT = /^\/v1\/enrolment\/(gateways|operators)$/;

/** A gateway that showed its certificate and a token bound to it. */
export interface GatewayCaller extends PeerCertificate {
  readonly token: TokenRecord;
}

/** Decides who gets past, before anything of a request is read. */
export interface Gate {
  /** @throws BACKEND_ROLE_REFUSED, CERTIFICATE_REVOKED, GATEWAY_REVOKED, ENROLMENT_PEER_REFUSED, IDENTITY_LOCKED, DENIED_SUPPORT_OFF, TOKEN_… */
  readonly admit: (message: IncomingMessage, pathname: string) => void;
  /** Whole seconds, from 1, until the lock ends that a request was refused for. */
  readonly lockedSeconds: (message: IncomingMessage) => number;
  /** Throws when what a gateway was admitted with was revoked since. @throws CERTIFICATE_REVOKED, TOKEN_REVOKED */
  readonly assertHolds: (message: IncomingMessage) => void;
  /** The gateway that a request was admitted for. */
  readonly gatewayOf: (message: IncomingMessage) => GatewayCaller;
}

/** What {@link createGate} works with. */
export interface GateOptions {
  readonly tenant: string;
  /** When the vendor's staff get in. */
  readonly support: SupportAccess;
  readonly tokens: Pick<Tokens, "verify" | "list">;
  readonly lockOut: LockOut;
  readonly certificates: Pick<Certificates, "seen"> & { readonly isRevoked: (serial: string) => boolean };
  readonly gateways: {
    readonly isRevoked: (name: string) => boolean;
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
  const gatewayOf = (message: IncomingMessage): GatewayCaller => {
    const caller = admitted.get(message);
    if (caller) return caller;
    throw backendErrors.error("BACKEND_ROLE_REFUSED", "only a gateway may do that");
  };
  return {
    gatewayOf,
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
      const name = callerOf(message);
      if (!mayCall(name, message.method ?? "", pathname))
        throw backendErrors.error("BACKEND_ROLE_REFUSED", `${name ?? "unknown"} may not ${message.method} ${pathname}`);
      if (name !== null) assertSupport(options.support, name, new Date(options.now()));
      if (name?.startsWith("gw-")) assertNoStray(options, peer, name);
      if (name?.startsWith("gw-")) admitted.set(message, admitGateway(options, message, peerOf(peer, name)));
    },
    lockedSeconds: (message) => {
      const attempt = attemptOf(options, message, callerOf(message) ?? "unknown");
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
  const { tokens, lockOut, certificates, events } = options;
  const attempt = attemptOf(options, message, peer.name);
  const until = lockOut.lockedUntil(attempt);
  if (until !== null) throw locked(peer.name, until);
  certificates.seen(peer);
  try {
    return { ...peer, token: verifiedToken(tokens, message, peer) };
  } catch (thrown) {
    const lockedUntil = lockOut.failed(attempt);
    if (lockedUntil !== null)
      events.report({
        kind: "IDENTITY_LOCKED",
        actor: peer.name,
        sourceAddress: attempt.address,
        object: peer.name,
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
