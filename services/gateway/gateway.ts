import packageJson from "../../package.json" with { type: "json" };
import { bytesOfHex } from "../../protocol/hex.ts";
import { cmdTopic, receiptTopic, trustTopic } from "../../protocol/topics.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { createCoapServer } from "../runtime/coap/server.ts";
import { createEventLimiter } from "../runtime/event-limiter.ts";
import { isPinProblem } from "../runtime/pins.ts";
import type { RunningService, ServiceContext } from "../runtime/run.ts";
import { readBackendKey } from "./backend-key.ts";
import { createForwarder } from "./broker/forwarder.ts";
import { createBrokerLink } from "./broker/link.ts";
import { createTrust } from "./broker/trust.ts";
import type { GatewayConfig } from "./config.ts";
import { count, createCounters } from "./counters.ts";
import { startIdentity } from "./identity/start.ts";
import { createCoapResources } from "./intake/coap-resources.ts";
import { createFloodLimit } from "./intake/flood-limit.ts";
import { createIntake, type IntakeResult } from "./intake/intake.ts";
import { gatewayMetrics } from "./metrics.ts";
import { selfTestRoute } from "./self-test.ts";
import { createFreeBytes, openDatabase } from "./store/database.ts";
import { createDocuments } from "./store/documents.ts";
import { createGroupCommit } from "./store/group-commit.ts";
import { createQuarantine } from "./store/quarantine.ts";
import { createReplayStore } from "./store/replay-store.ts";
import { createSensorUpdates } from "./store/sensor-updates.ts";
import { createSpool } from "./store/spool.ts";

const TICK_MS = 1000;
const MAX_BODY_BYTES = 4096;
/** Sources and verdicts told apart in one tick: who invents source addresses shall not fill the log. */
const MAX_EVENT_GROUPS = 64;

/**
 * Starts the gateway: CoAP in, checks, spool on disk, MQTT out.
 * @throws GATEWAY_STATE_UNUSABLE, GATEWAY_BACKEND_KEY, COAP_PORT, SERVICE_FILE_UNREADABLE, SERVICE_TLS_INVALID
 */
export async function startGateway(context: ServiceContext<GatewayConfig>): Promise<RunningService> {
  const { config, log, events, now } = context;
  const onError = (error: unknown): void => log.error({ err: error }, "gateway");
  const backendKey = readBackendKey(config.backendKeyFile);
  const database = openDatabase(config.stateDir);
  const counters = createCounters();
  const limiter = createEventLimiter(events.emit, MAX_EVENT_GROUPS);
  const freeBytes = createFreeBytes(database, config.stateDir);
  const spool = createSpool(database, { maxBytes: config.spoolMaxBytes, freeBytes });
  const quarantine = createQuarantine(database, { maxBytes: config.quarantineMaxBytes, freeBytes });
  const commit = createGroupCommit(database, () => {
    spool.undone();
    quarantine.undone();
  });
  const updates = createSensorUpdates(database, backendKey);
  const documents = createDocuments(database);
  const maxAgeHours = config.allowlistMaxAgeHours;
  const trust = createTrust({ gateway: config.name, backendKey, documents, maxAgeHours, now, onError });
  const identity = startIdentity(context, { backendKey, documents, trust, onNewCredential: () => link.renew() });

  const forwarder = createForwarder({
    spool,
    commit,
    counters,
    publish: (sensorId, bytes) => link.publish(sensorId, bytes),
    inFlightMax: config.inFlightMax,
    receiptTimeoutMs: config.receiptTimeoutSeconds * 1000,
    now,
    onError,
  });

  function takeSigned(topic: string, payload: Buffer): void {
    try {
      if (topic === trustTopic(config.name)) trust.take(payload.toString("utf8"));
      const sensorId = topic.split("/").at(-1) ?? "";
      if (topic === cmdTopic(config.name, sensorId)) updates.take(sensorId, payload);
    } catch (error) {
      const reason = error instanceof TrustKernError ? error.code : "database";
      // A retained or repeated message is no attack.
      if (reason === "UPDATE_ROLLBACK") return;
      log.warn({ topic, reason, detail: messageOf(error) }, "signed document refused");
      limiter.report({ kind: "AUTH_FAILED", object: topic, reason });
    }
  }

  function onResult(result: IntakeResult, source: string): void {
    if (result.kind === "unavailable") {
      counters.unavailable += 1;
    } else if (result.kind === "accepted") {
      counters.accepted += 1;
      forwarder.wake();
    } else {
      count(counters.rejected, result.verdict);
      if (result.verdict === "duplicate") return;
      // Whoever sent it: the sensor id is only claimed, or the message was the sensor's and is replayed.
      limiter.report({
        kind: "INGEST_REJECTED",
        actor: source,
        sourceAddress: source,
        object: result.sensorId ?? "/tk/v1",
        reason: result.verdict,
        correlationId: result.digest,
      });
    }
  }

  const intake = createIntake({ trust, commit, spool, replay: createReplayStore(database), quarantine, now, onError });
  const flood = createFloodLimit({ ...config.flood, now });
  const coap = createCoapServer({
    handle: createCoapResources({ intake, updateFor: updates.newest, onResult }),
    admit: flood.admit,
    maxBodyBytes: MAX_BODY_BYTES,
    now,
    onError,
  });
  const address = await coap.listen(config.coap);

  const link = createBrokerLink({
    gateway: config.name,
    broker: { ...config.broker, pins: identity.brokerPins },
    tls: identity.forBroker,
    version: packageJson.version,
    now,
    onUp: () => {
      identity.brokerAccepted();
      forwarder.connected();
      identity.refresh();
    },
    onDown: forwarder.disconnected,
    onMessage: (topic, payload) => {
      if (topic === receiptTopic(config.name)) void forwarder.takeReceipts(payload);
      else takeSigned(topic, payload);
    },
    onError: (error) => {
      log.warn({ reason: messageOf(error) }, "broker");
      if (isPinProblem(error))
        limiter.report({ kind: "AUTH_FAILED", actor: "broker", object: "broker", reason: error.code });
    },
  });

  const ticker = setInterval(() => {
    forwarder.resendOverdue();
    for (const [source, dropped] of flood.takeDropped()) {
      counters.flooded += dropped;
      const reason = `more than ${config.flood.perSecond} datagrams a second`;
      limiter.report({
        kind: "RATE_LIMIT_EXCEEDED",
        actor: source,
        sourceAddress: source,
        object: "coap",
        reason,
        count: dropped,
      });
    }
    limiter.flush();
  }, TICK_MS);

  function reason(): string | undefined {
    if (!trust.current()) return "no allowlist has come yet";
    if (trust.isTooOld()) return `the allowlist is older than ${maxAgeHours} h: no new sensors are taken`;
    return link.connected() ? undefined : "the broker is away";
  }

  return {
    ready: () => reason() === undefined,
    status: () => ({
      reason: reason(),
      tls: identity.status(),
      coap: address,
      allowlist: trust.status(),
      brokerConnected: link.connected(),
      counters: {
        ...counters,
        spooled: spool.count(),
        inFlight: forwarder.inFlight(),
        quarantined: quarantine.count(),
      },
    }),
    routes: [
      selfTestRoute,
      {
        method: "GET",
        path: "/spool/:digest",
        handler: (_, { params }) => ({ spooled: spool.has(bytesOfHex(params.digest ?? "", 32)) }),
      },
    ],
    metrics: gatewayMetrics({
      counters,
      spooled: spool.count,
      inFlight: forwarder.inFlight,
      quarantined: quarantine.count,
      allowlist: trust.status,
      brokerConnected: link.connected,
      certificate: identity.status,
    }),
    async stop() {
      clearInterval(ticker);
      identity.stop();
      await coap.close();
      limiter.flush();
      await link.stop();
      database.close();
    },
  };
}
