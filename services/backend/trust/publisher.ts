import type { MqttClient } from "mqtt";
import { messageOf } from "../../../shared/errors.ts";
import { keepTrying } from "../../runtime/backoff.ts";
import { openSession, type Session, type SessionOptions } from "./broker-session.ts";
import type { StoredUpdate } from "./updates.ts";

/** Hands allowlists and updates to the gateways, whenever the broker is there. */
export interface Publisher {
  /** Says that the allowlists have a new version. */
  readonly allowlistsChanged: () => void;
  /** An update that finds no broker is published once its gateway comes online. */
  readonly updateIssued: (update: StoredUpdate) => void;
  /** Why gateways may lack the newest allowlist, or null when all have it. */
  readonly lag: () => string | null;
  /** Resolves when the connection is closed, after the signal aborted. */
  readonly done: Promise<void>;
}

/** What {@link startPublisher} works with. */
export interface PublisherOptions extends SessionOptions {
  /** Makes a client that does not reconnect by itself. */
  readonly connect: () => Promise<MqttClient>;
  readonly signal: AbortSignal;
}

/**
 * Keeps the broker up to date. Each connection is a new client, since one that reconnects would send again what it had
 * in flight: an older allowlist after a newer one, which the broker would then retain.
 */
export function startPublisher(options: PublisherOptions): Publisher {
  const { connect, allowlists, log, signal } = options;
  let session: Session | undefined;

  const serve = async (): Promise<void> => {
    const onFailure = (thrown: unknown, waitMs: number): void =>
      log.warn({ reason: messageOf(thrown), waitMs }, "the broker does not answer");
    for (;;) {
      const client = await keepTrying(connect, { signal, onFailure });
      const abort = (): unknown => client.end(true);
      signal.addEventListener("abort", abort);
      session = openSession(client, options);
      log.info("connected to the broker");
      await session.closed;
      session = undefined;
      signal.removeEventListener("abort", abort);
      client.end(true);
      log.info("disconnected from the broker");
    }
  };

  return {
    allowlistsChanged: () => session?.publishAllowlists(),
    updateIssued: (update) => session?.publishUpdate(update),
    lag: () => {
      if (!session) return "the broker does not answer";
      return session.publishedVersion() === allowlists.version() ? null : "allowlists are on their way";
    },
    done: serve().catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown;
    }),
  };
}
