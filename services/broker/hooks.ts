import { randomUUID } from "node:crypto";
import type { AedesOptions, AuthenticateError, Client } from "aedes";
import { mayReceive } from "../../protocol/topics.ts";
import type { SecurityEventInput } from "../runtime/security-events.ts";
import { connectDenial, type Denial, publishDenial, subscribeDenial } from "./access.ts";
import type { Limits } from "./config.ts";
import type { Counters } from "./counters.ts";
import type { Session } from "./sessions.ts";

/** CONNACK return codes of MQTT 3.1.1, section 3.2.2.3, that we give. */
const IDENTIFIER_REJECTED = 2;
const NOT_AUTHORIZED = 5;

/** What the hooks decide from. */
export interface HookOptions {
  readonly sessionOf: (client: Client) => Session | undefined;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly report: (event: SecurityEventInput) => void;
}

/** The library's hooks that this broker answers. */
export type Hooks = Required<
  Pick<AedesOptions, "preConnect" | "authenticate" | "authorizePublish" | "authorizeSubscribe" | "authorizeForward">
>;

/**
 * Binds the library to the identity of the certificate and to the access table:
 * - a session belongs to its identity, whatever client id it names, so that nobody takes over another's;
 * - every session is clean, so that nothing is kept for a client that is away (receipts make a queue needless);
 * - a PUBLISH that is not allowed ends the connection, since MQTT 3.1.1 has no answer for it; a SUBSCRIBE gets 0x80.
 */
export function createHooks({ sessionOf, limits, counters, report }: HookOptions): Hooks {
  const denied = (session: Session | undefined, object: string, reason: Denial): void => {
    report({
      kind: "AUTH_FAILED",
      actor: session?.name ?? "unknown",
      sourceAddress: session?.address ?? null,
      object,
      reason,
    });
  };
  /** A gateway that does not read loses its connection; a service that is slower than its publishers loses messages. */
  const relieve = (session: Session, topic: string): void => {
    const reason = session.isGateway ? "slow-client" : "queue-full";
    report({
      kind: "RATE_LIMIT_EXCEEDED",
      actor: session.name,
      sourceAddress: session.address,
      object: topic,
      reason,
    });
    counters[session.isGateway ? "slowClients" : "messagesDropped"] += 1;
    if (session.isGateway) session.socket.destroy();
  };
  return {
    preConnect: (client, packet, done) => {
      const session = sessionOf(client);
      if (session === undefined) return done(new Error("identity"), false);
      session.refused = connectDenial(session.name, {
        protocolVersion: packet.protocolVersion ?? 0,
        clientId: packet.clientId,
        will: packet.will
          ? { ...packet.will, qos: packet.will.qos ?? 0, retain: packet.will.retain ?? false }
          : undefined,
      });
      packet.clientId = `${session.name}/${packet.clientId || randomUUID()}`;
      packet.clean = true;
      done(null, true);
    },

    authenticate: (client, _username, _password, done) => {
      const session = sessionOf(client);
      const refused = session === undefined ? "identity" : session.refused;
      if (refused === null) return done(null, true);
      counters.connectsDenied += 1;
      denied(session, "connect", refused);
      const returnCode = refused === "client-id" ? IDENTIFIER_REJECTED : NOT_AUTHORIZED;
      done(Object.assign(new Error(refused), { returnCode }) as AuthenticateError, null);
    },

    authorizePublish: (client, packet, done) => {
      const session = client === null ? undefined : sessionOf(client);
      const denial = session === undefined ? "identity" : publishDenial(session.name, packet);
      if (denial === null) {
        counters.publishesAccepted += 1;
        return done(null);
      }
      counters.publishesDenied += 1;
      denied(session, packet.topic, denial);
      done(new Error(denial));
    },

    authorizeSubscribe: (client, subscription, done) => {
      const session = sessionOf(client);
      const denial = session === undefined ? "identity" : subscriptionDenial(session, subscription.topic, limits);
      if (denial === null) return done(null, subscription);
      counters.subscriptionsDenied += 1;
      if (denial !== "shared-subscription") denied(session, subscription.topic, denial);
      done(null, null);
    },

    authorizeForward: (client, packet) => {
      const session = sessionOf(client);
      if (session === undefined || !mayReceive(session.name, packet.topic)) return null;
      if (isOverfull(session, limits)) {
        relieve(session, packet.topic);
        return null;
      }
      counters.messagesForwarded += 1;
      return packet;
    },
  };
}

function subscriptionDenial(session: Session, filter: string, limits: Limits): Denial | null {
  const denial = subscribeDenial(session.name, filter);
  if (denial !== null) return denial;
  if (session.filters.size >= limits.subscriptions && !session.filters.has(filter)) return "too-many-subscriptions";
  session.filters.add(filter);
  return null;
}

function isOverfull({ isGateway, socket }: Session, limits: Limits): boolean {
  return socket.writableLength > (isGateway ? limits.gatewayQueueBytes : limits.serviceQueueBytes);
}
