import type { TLSSocket } from "node:tls";
import { Aedes, type Client } from "aedes";
import { createEventLimiter } from "../runtime/event-limiter.ts";
import { listenTcp } from "../runtime/listen.ts";
import type { ServiceContext } from "../runtime/run.ts";
import type { BrokerServiceConfig } from "./config.ts";
import { type Counters, createCounters } from "./counters.ts";
import { createHooks } from "./hooks.ts";
import { createPacketSizeGuard } from "./packet-size-guard.ts";
import { createTlsServer } from "./server.ts";
import type { Session } from "./sessions.ts";
import { createTrust, type Trust } from "./trust.ts";

/** A broker that listens. */
export interface Broker {
  /** Also when the configuration asked for a free one. */
  readonly port: number;
  readonly counters: Readonly<Counters>;
  readonly trust: () => Trust;
  readonly close: () => Promise<void>;
}

/**
 * Starts the broker.
 * @throws SERVICE_FILE_UNREADABLE, BROKER_PAIR_INVALID, PORT_IN_USE
 */
export async function startBroker(context: ServiceContext<BrokerServiceConfig>): Promise<Broker> {
  const { config, events, log, now } = context;
  const { limits } = config;
  const counters = createCounters();
  const limiter = createEventLimiter(events.emit);
  const flushing = setInterval(limiter.flush, limits.eventWindowSeconds * 1000).unref();
  const sessions = new WeakMap<Client, Session>();
  const { report } = limiter;

  const aedes = await Aedes.createBroker({
    ...createHooks({ sessionOf: (client) => sessions.get(client), limits, counters, report }),
    // No limit: what is on the way is bounded by what was read from each publisher, and a full limit would let one wait for another.
    concurrency: 0,
    connectTimeout: limits.connectSeconds * 1000,
    drainTimeout: limits.drainSeconds * 1000,
    keepaliveLimit: limits.keepAliveSeconds,
    maxTopicLevels: 8,
  });
  aedes.on("unsubscribe", (filters, client) => {
    for (const filter of filters) sessions.get(client)?.filters.delete(filter);
  });
  const onClientError = (client: Client, error: Error): void => {
    counters.clientErrors += 1;
    log.debug({ client: sessions.get(client)?.name, reason: error.message }, "connection ended by an error");
  };
  aedes.on("clientError", onClientError).on("connectionError", onClientError);

  const onClient = (socket: TLSSocket, name: string): void => {
    const isGateway = name.startsWith("gw-");
    const session: Session = {
      name,
      isGateway,
      address: socket.remoteAddress ?? null,
      socket,
      filters: new Set(),
      refused: null,
    };
    limitPacketSize(socket, isGateway ? limits.gatewayPacketBytes : limits.servicePacketBytes, () => {
      counters.oversizedPackets += 1;
      report({
        kind: "RATE_LIMIT_EXCEEDED",
        actor: name,
        sourceAddress: session.address,
        object: "packet",
        reason: "packet-size",
      });
    });
    const client = aedes.handle(socket);
    if (isGateway) neverWaitFor(client, socket, limits.gatewayQueueBytes);
    sessions.set(client, session);
  };
  const { tls, crlFile, stateDir, trust } = config;
  const keeper = createTrust({
    ...{ tls, crlFile, stateDir, trust, now, log },
    onRefused: (reason) => {
      counters.crlsRefused += 1;
      report({ kind: "CRL_REJECTED", object: "crl.pem", reason });
    },
    onTrust: (next) => {
      door.renew(next);
      for (const { issuer, number } of next.crls)
        report({ kind: "CRL_PUBLISHED", object: issuer, reason: String(number) });
    },
    onEnded: (ended) => {
      for (const { name, reason } of ended) door.end(new Set([name]), reason);
    },
  });
  const door = createTlsServer({ trust: keeper.current(), limits, counters, report, now, onClient });
  const port = await listenTcp(door.server, config.listen);
  const look = async (): Promise<void> => {
    await keeper.look();
    door.expire();
  };
  const looking = repeat(look, trust.pollSeconds * 1000);
  log.info({ port }, "listening");
  return {
    port,
    counters,
    trust: keeper.current,
    close: async () => {
      looking.stop();
      clearInterval(flushing);
      limiter.flush();
      await new Promise<void>((resolve) => aedes.close(resolve));
      await door.close();
    },
  };
}

/** Does something again and again, with a pause after each time. */
function repeat(act: () => Promise<void>, pauseMs: number): { readonly stop: () => void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    await act();
    if (!stopped) timer = setTimeout(round, pauseMs);
  };
  void round();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Destroys the socket before the library sees a packet that is too large. */
function limitPacketSize(socket: TLSSocket, maxBytes: number, onTooLarge: () => void): void {
  const within = createPacketSizeGuard(maxBytes);
  const read = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    const chunk: unknown = read(size);
    if (!(chunk instanceof Uint8Array) || within(chunk)) return chunk;
    onTooLarge();
    socket.destroy();
    return null;
  };
}

/**
 * The library makes a publisher wait while a subscriber's socket is full. That is the back-pressure that the collector
 * needs; a gateway must not be able to hold up the collector's receipts to all others by not reading its own.
 */
function neverWaitFor(client: Client, socket: TLSSocket, maxBytes: number): void {
  const waiting = client as Client & { waitForDrain: (done: (error: null, client: Client) => void) => void };
  const wait = waiting.waitForDrain.bind(client);
  waiting.waitForDrain = (done) => {
    if (socket.writableLength > maxBytes) wait(done);
    else setImmediate(done, null, client);
  };
}
