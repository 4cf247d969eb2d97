import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import { handshakeReason } from "../runtime/handshake-reason.ts";
import { limitHandshakes } from "../runtime/handshake-room.ts";
import type { SecurityEventInput } from "../runtime/security-events.ts";
import { sourceAddresses } from "../runtime/source-addresses.ts";
import { mutualTls } from "../runtime/tls.ts";
import { admittedName } from "./access.ts";
import type { Limits } from "./config.ts";
import type { Counters } from "./counters.ts";
import { revocationOf } from "./revocation.ts";
import { createSlots } from "./sessions.ts";
import type { Trust } from "./trust.ts";

/** The longest that `setTimeout` waits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Surroundings of {@link createTlsServer}. */
export interface TlsServerOptions {
  readonly trust: Trust;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly report: (event: SecurityEventInput) => void;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Called with each connection whose certificate names a client of the broker. */
  readonly onClient: (socket: TLSSocket, name: string) => void;
}

/** A server, and the end of all its connections, those that never finished their handshake included. */
export interface TlsServer {
  readonly server: Server;
  /** Lets in by these certificates and lists from now on, and ends the sessions that they would not let in. */
  readonly renew: (trust: Trust) => void;
  /** Ends the sessions whose certificate has ended; each is also ended in its moment, unless the clock was changed. */
  readonly expire: () => void;
  /** Ends the sessions of these identities. */
  readonly end: (names: ReadonlySet<string>, reason: string) => void;
  readonly close: () => Promise<void>;
}

/**
 * The broker's door: TLS 1.3 with a client certificate, and then an identity that the access table knows. Session
 * tickets are off, and with them resumption, since a resumed session would not verify the certificate again.
 */
export function createTlsServer({ trust, limits, counters, report, now, onClient }: TlsServerOptions): TlsServer {
  const slots = createSlots(limits.connectionsPerIdentity);
  let held = trust;
  const sessions = new Map<TLSSocket, { readonly name: string; readonly endsAt: number }>();
  const server = createServer({
    ...contextOf(trust),
    ...mutualTls,
    handshakeTimeout: limits.connectSeconds * 1000,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  const open = new Set<Socket>();
  const addressOf = sourceAddresses(server);
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });

  server.on("secureConnection", (socket) => {
    const subject = socket.getPeerCertificate().subject;
    const name = admittedName(subject);
    const sourceAddress = socket.remoteAddress ?? null;
    const refuse = (kind: SecurityEventInput["kind"], reason: string): void => {
      socket.on("error", () => {});
      socket.destroy();
      report({ kind, actor: name ?? String(subject?.CN ?? "unknown"), sourceAddress, object: "connection", reason });
    };
    const certificate = socket.getPeerX509Certificate();
    const revocation = revocationOf(certificate, held);
    if (name === null || revocation !== null) {
      counters.handshakesFailed += 1;
      return refuse("AUTH_FAILED", revocation ?? "identity");
    }
    if (!slots.take(name)) {
      counters.connectionsOverLimit += 1;
      return refuse("RATE_LIMIT_EXCEEDED", "connections-of-identity");
    }
    counters.connections += 1;
    const endsAt = certificate?.validToDate.getTime() ?? 0;
    sessions.set(socket, { name, endsAt });
    const alarm = setAlarm(endsAt, now, expire);
    socket.once("close", () => {
      alarm.stop();
      counters.connections -= 1;
      sessions.delete(socket);
      slots.release(name);
    });
    onClient(socket, name);
  });
  server.on("tlsClientError", (error, socket) => {
    counters.handshakesFailed += 1;
    // After a time-out nobody else does.
    socket.destroy();
    report({
      kind: "AUTH_FAILED",
      actor: "unknown",
      sourceAddress: addressOf(socket),
      object: "connection",
      reason: handshakeReason(error, socket),
    });
  });
  const overLimit = (sourceAddress: string | null, reason: string): void => {
    counters.connectionsOverLimit += 1;
    report({ kind: "RATE_LIMIT_EXCEEDED", actor: "unknown", sourceAddress, object: "connection", reason });
  };
  server.on("drop", (dropped) => overLimit(dropped?.remoteAddress ?? null, "connections"));
  limitHandshakes(server, { perAddress: limits.handshakesPerAddress, total: limits.handshakes }, (address) =>
    overLimit(address, "handshakes"),
  );
  const end = (socket: TLSSocket, name: string, reason: string): void => {
    const sourceAddress = socket.remoteAddress ?? null;
    socket.destroy();
    counters.sessionsEnded += 1;
    report({ kind: "SESSION_ENDED", sourceAddress, object: name, reason });
  };
  /** Node looks at dates during a handshake alone. */
  const expire = (): void => {
    for (const [socket, { name, endsAt }] of sessions) if (endsAt < now()) end(socket, name, "certificate-expired");
  };
  return {
    server,
    expire,
    renew: (next) => {
      held = next;
      server.setSecureContext(contextOf(next));
      for (const [socket, { name }] of sessions) {
        const reason = revocationOf(socket.getPeerX509Certificate(), held);
        if (reason !== null) end(socket, name, reason);
      }
    },
    end: (names, reason) => {
      for (const [socket, { name }] of sessions) if (names.has(name)) end(socket, name, reason);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function contextOf({ tls, crls }: Trust): SecureContextOptions {
  return { ...tls, crl: crls.map(({ pem }) => pem), secureOptions: constants.SSL_OP_NO_TICKET };
}

/** Calls when that moment is over; a timer takes 24 days at most, so it may be set more than once. */
function setAlarm(endsAt: number, now: () => number, ring: () => void): { readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const set = (): void => {
    const left = endsAt + 1 - now();
    timer = setTimeout(left > 0 ? set : ring, Math.min(Math.max(left, 0), MAX_TIMER_MS)).unref();
  };
  set();
  return { stop: () => clearTimeout(timer) };
}
