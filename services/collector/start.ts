import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import type { PostgresTls } from "../../shared/postgres-tls.ts";
import { createEventLimiter } from "../runtime/event-limiter.ts";
import { pinsInForce } from "../runtime/pins.ts";
import type { RunningService, ServiceContext } from "../runtime/run.ts";
import { followTls, readText } from "../runtime/tls.ts";
import { openAllowlistCopy } from "./allowlist/copy.ts";
import { createAllowlistFetch } from "./allowlist/fetch.ts";
import { createAllowlistKeeper } from "./allowlist/keeper.ts";
import { readBackendKey } from "./backend-key.ts";
import { connectBroker } from "./broker-client.ts";
import type { CollectorConfig } from "./config.ts";
import { createCounters } from "./counters.ts";
import { createDeviceSync } from "./device-sync.ts";
import { createIngest, type Entry, entriesOf } from "./ingest.ts";
import { createDispatcher, type DropReason } from "./intake/dispatcher.ts";
import { createIntakeQueue, type Message } from "./intake/queue.ts";
import { accessOf } from "./kem/access.ts";
import { keyUseRoute } from "./key-use.ts";
import { collectorMetrics } from "./metrics.ts";
import { createSecurityLog } from "./security-log.ts";
import { createStore } from "./store.ts";
import { createWorkerPool, MESSAGES_PER_BATCH, type WorkerPool } from "./verify/pool.ts";
import { createWriter } from "./writer.ts";

/** Shorter than the 30 s after which a gateway sends a message again. */
const PARK_MS = 20_000;
const FETCH_GAP_MS = 250;
const TICK_MS = 1000;

/**
 * Starts the collector: broker → queue → threads → database → receipts. Whatever is away keeps messages waiting, up to each
 * gateway's bound, and is no reason not to start.
 * @param entry - the program whose worker half the threads run
 * @throws SERVICE_FILE_UNREADABLE, SERVICE_TLS_INVALID, COLLECTOR_BACKEND_KEY, COLLECTOR_ALLOWLIST_CORRUPT
 */
export async function startCollector(context: ServiceContext<CollectorConfig>, entry: URL): Promise<RunningService> {
  const { config, log, events, now } = context;
  const { database } = config;
  const backendKey = readBackendKey(config.backendKeyFile);
  const tls = context.tls(config.tls);
  const target = {
    ...database,
    password: readText(database.passwordFile).trim(),
    tls: database.tls && databaseTls(database.tls),
  };
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const copy = openAllowlistCopy({
    file: join(config.stateDir, "allowlist.json"),
    backendKey: backendKey.key,
    onUnwritten: (thrown) => log.error({ reason: messageOf(thrown) }, "the allowlist copy could not be written"),
  });

  const counters = createCounters();
  const security = createSecurityLog(events);
  const custodyProblems = createEventLimiter(events.emit);
  const queue = createIntakeQueue(config.queueMaxPerGateway);
  const store = createStore({ ...target, quarantineMaxBytes: config.quarantineMaxBytes });
  const broker = connectBroker({
    ...config.broker,
    tls,
    clientId: `${config.name}-${randomUUID()}`,
    sharedSubscription: config.sharedSubscription,
    onEnvelope: (gateway, sensorId, bytes) => {
      counters.received += 1;
      dispatcher.accept({ gateway, sensorId, bytes, receivedAtMs: now() });
    },
    onState: (state, reason) => log.info({ state, reason }, "broker"),
    onImpostor: (reason) => events.emit({ kind: "AUTH_FAILED", actor: "broker", object: "broker", reason }),
  });
  const ingest = createIngest({ store, queue, counters, security, sendReceipts: broker.sendReceipts, now });
  events.onEvent(ingest.addEvent);
  const onStoreFailure = (thrown: unknown): void => log.warn({ reason: messageOf(thrown) }, "database");
  const writer = createWriter<Entry>({ write: ingest.write, ...config.batch, onFailure: onStoreFailure });

  const pool: WorkerPool = createWorkerPool({
    entry,
    threads: config.workers,
    setup: { custody: accessOf(config.custody, tls), backendKey: backendKey.point },
    onChecked: (batch) => dispatcher.onChecked(batch),
    onFault: (reason) => log.error({ reason }, "a check could not run"),
    onCustodyProblem: (reason) =>
      custodyProblems.report({ kind: "AUTH_FAILED", actor: "custody-broker", object: "custody", reason }),
  });
  followTls(tls, () => pool.setTls(tls));
  const keeper = createAllowlistKeeper({
    copy,
    fetch: createAllowlistFetch(config.backend, tls),
    now,
    intervalMs: config.allowlistSeconds * 1000,
    minGapMs: FETCH_GAP_MS,
    onChange: () => {
      log.info({ version: copy.version() }, "allowlist");
      useAllowlist();
    },
    onFresh: () => {
      dispatcher.retryParked();
      dispatcher.pump();
    },
    onFailure: (thrown) => log.warn({ reason: messageOf(thrown) }, "allowlist not fetched"),
  });
  const dispatcher = createDispatcher({
    queue,
    pool,
    freshSince: keeper.freshSince,
    refreshAllowlist: keeper.refresh,
    hasAllowlist: () => copy.dsse() !== null,
    now,
    batchSize: MESSAGES_PER_BATCH,
    maxHeld: 4 * Math.max(config.batch.maxMessages, config.workers * MESSAGES_PER_BATCH),
    parkMs: PARK_MS,
    onVerdicts: (batch) => writer.add(entriesOf(batch)),
    onDropped: (messages, reason) => dropped(messages, reason),
  });
  const devices = createDeviceSync({
    store,
    document: copy.document,
    signal: context.signal,
    onFailure: onStoreFailure,
  });

  function useAllowlist(): void {
    const dsse = copy.dsse();
    if (dsse === null) return;
    pool.setAllowlist(dsse);
    devices.save();
  }

  function dropped(messages: readonly Message[], reason: DropReason): void {
    counters.dropped[reason] += messages.length;
    if (reason !== "overflow") return;
    for (const { gateway, sensorId } of messages)
      security.record({ kind: "RATE_LIMIT_EXCEEDED", actor: gateway, object: sensorId, reason, digest: null });
  }

  useAllowlist();
  const ticking = setInterval(() => {
    security.flush();
    custodyProblems.flush();
    if (ingest.hasEvents()) writer.nudge();
    dispatcher.retryParked();
  }, TICK_MS);

  const missing = (): readonly string[] => [
    ...(copy.dsse() === null ? ["no allowlist yet"] : []),
    ...(broker.ready() ? [] : ["broker away"]),
    ...(store.ready() ? [] : ["database away"]),
    ...(pool.custody() === "ready" ? [] : [`custody ${pool.custody()}`]),
  ];
  return {
    ready: () => missing().length === 0,
    status: () => ({
      counters: { ...counters, waiting: queue.waiting(), held: queue.held(), parked: dispatcher.parked() },
      allowlist: { version: copy.version(), freshSince: keeper.freshSince() },
      ...(missing().length > 0 ? { reason: missing().join(", ") } : {}),
    }),
    brokerPins: () => pinsInForce(config.broker),
    routes: [keyUseRoute(target)],
    metrics: collectorMetrics({
      counters,
      waiting: queue.waiting,
      held: queue.held,
      parked: dispatcher.parked,
      allowlistVersion: copy.version,
      freshSince: keeper.freshSince,
      dependencies: () => ({ broker: broker.ready(), database: store.ready(), custody: pool.custody() === "ready" }),
    }),
    stop: async () => {
      clearInterval(ticking);
      keeper.stop();
      await broker.close();
      await writer.stop();
      await Promise.all([store.close(), pool.close()]);
    },
  };
}

/** How the database is verified: its anchors are read at each connect, so that a connection never has those of long ago. */
function databaseTls({ caFile, servername }: NonNullable<CollectorConfig["database"]["tls"]>): PostgresTls {
  readText(caFile);
  return {
    get ca() {
      return readText(caFile);
    },
    servername,
  };
}
