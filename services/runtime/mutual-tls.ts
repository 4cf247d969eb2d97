import { constants } from "node:crypto";
import type { Socket } from "node:net";
import type { Server, TLSSocket, TlsOptions } from "node:tls";
import { type PeerSubject, peerName } from "../../certs/peer-name.ts";
import type { EventLimiter } from "./event-limiter.ts";
import { handshakeReason } from "./handshake-reason.ts";
import { type HandshakeLimits, limitHandshakes } from "./handshake-room.ts";
import { sourceAddresses } from "./source-addresses.ts";
import { followTls, mutualTls, type Tls13Options } from "./tls.ts";

const MAX_CONNECTIONS = 512;
/** Connections of one certificate's name. */
const MAX_OF_ONE_NAME = 64;
/** Well below {@link MAX_CONNECTIONS}: who has shown a certificate is not kept out by who has not. */
const HANDSHAKES: HandshakeLimits = { perAddress: 64, total: 128 };
/** The slowest link needs a second; Node itself would wait for two minutes. */
const HANDSHAKE_MS = 5000;
/** Session tickets are off, since a resumed session would not verify the certificate again. */
const secureOptions = constants.SSL_OP_NO_TICKET;

/** Time for requests on the way when those who may connect have changed, in milliseconds. */
export const GRACE_MS = 2000;

/** Who is behind a server of mutual TLS. */
export interface MutualTlsOptions {
  readonly tls: Tls13Options;
  readonly events: Pick<EventLimiter, "report">;
  /** Milliseconds for the TLS handshake. @default 5000 */
  readonly handshakeMs?: number | undefined;
}

/** What a TLS server of ours is made with: TLS 1.3, client certificates required. */
export function mutualTlsOptions({ tls, handshakeMs = HANDSHAKE_MS }: MutualTlsOptions): TlsOptions {
  return { ...tls, ...mutualTls, handshakeTimeout: handshakeMs, secureOptions };
}

/**
 * Guards a server of {@link mutualTlsOptions}: an event for each handshake that fails. Options of `ServiceContext.tls` are
 * followed: the next handshake has the new certificate, and where trust anchors or revocation lists have changed, no connection
 * from before outlives it for long. Silent connections are displaced by later ones, and no name has more than its share of the
 * rest.
 * @param endIdle ends the connections that nothing is on the way on
 */
export function guardMutualTls(server: Server, { tls, events }: MutualTlsOptions, endIdle: () => void): void {
  const endConnections = connectionsOf(server, endIdle);
  const addressOf = sourceAddresses(server);
  let trust = trustOf(tls);
  followTls(tls, () => {
    server.setSecureContext({ ...tls, secureOptions });
    if (trustOf(tls) !== trust) endConnections();
    trust = trustOf(tls);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const tooMany = (actor: string, sourceAddress: string | null, reason: string): void =>
    events.report({ kind: "RATE_LIMIT_EXCEEDED", actor, sourceAddress, object: "tls", reason });
  limitHandshakes(server, HANDSHAKES, (address) => tooMany("unknown", address, "handshakes"));
  server.on("drop", (dropped) => tooMany("unknown", dropped?.remoteAddress ?? null, "connections"));
  limitNames(server, (name, address) => tooMany(name, address, "connections-of-identity"));
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // Node closes a connection with a certificate that it does not trust, and calls it a reset.
    const reason = handshakeReason(error, socket);
    // A client that went away before the handshake was over has failed at nothing.
    if (reason === "handshake-aborted") return;
    const sourceAddress = addressOf(socket);
    events.report({ kind: "AUTH_FAILED", actor: "unknown", sourceAddress, object: "tls", reason });
  });
}

/** The common name of a verified peer, or null when its certificate gives it none. */
export function nameOf(socket: TLSSocket): string | null {
  return socket.authorized ? peerName(socket.getPeerCertificate().subject as PeerSubject | undefined) : null;
}

/** Bounds the connections of each name, so that no certificate can use up all that there are. */
function limitNames(server: Server, onRefused: (name: string, address: string | null) => void): void {
  const counts = new Map<string, number>();
  server.on("secureConnection", (socket: TLSSocket) => {
    const name = nameOf(socket) ?? "unknown";
    const count = counts.get(name) ?? 0;
    if (count >= MAX_OF_ONE_NAME) {
      onRefused(name, socket.remoteAddress ?? null);
      socket.destroy();
      return;
    }
    counts.set(name, count + 1);
    socket.once("close", () => {
      const left = (counts.get(name) ?? 1) - 1;
      if (left > 0) counts.set(name, left);
      else counts.delete(name);
    });
  });
}

/** Makes the function that ends all connections of now: idle ones at once, the others after {@link GRACE_MS}. */
function connectionsOf(server: Server, endIdle: () => void): () => void {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return () => {
    const before = [...open];
    endIdle();
    setTimeout(() => {
      for (const socket of before) socket.destroy();
    }, GRACE_MS).unref();
  };
}

function trustOf({ ca, crl = [] }: Tls13Options): string {
  return [ca, ...crl].join();
}
