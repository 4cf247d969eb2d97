import { connectAsync, type MqttClient } from "mqtt";
import { createEventLimiter } from "../runtime/event-limiter.ts";
import { listenTcp } from "../runtime/listen.ts";
import { pinnedConnect, pinsInForce } from "../runtime/pins.ts";
import type { RunningService, ServiceContext } from "../runtime/run.ts";
import type { BackendConfig } from "./config.ts";
import { type Issuers, type StepCaIssuerOptions, stepCaIssuer } from "./enrolment/issuing.ts";
import { backendMetrics } from "./metrics.ts";
import { openJournal } from "./open-journal.ts";
import { createPki } from "./pki.ts";
import { createProvisioning } from "./provisioning.ts";
import { openDatabase } from "./registry/database.ts";
import { createDevices } from "./registry/devices.ts";
import { createRecipients } from "./registry/recipients.ts";
import { backendRoutes } from "./routes.ts";
import { createBackendServer } from "./server.ts";
import { createAllowlists } from "./trust/allowlists.ts";
import { readNetworkKey, readSigningKey } from "./trust/keys.ts";
import { startPublisher } from "./trust/publisher.ts";
import { createUpdates } from "./trust/updates.ts";

const CONNECT_TIMEOUT_MS = 5000;
const EVENT_WINDOW_MS = 1000;
const CRL_REFRESH_MS = 10_000;
const MS_PER_HOUR = 3_600_000;

/**
 * Starts the backend: registry, provisioning, allowlists and updates.
 * @throws BACKEND_STATE_UNUSABLE, BACKEND_KEY_INVALID, SERVICE_FILE_UNREADABLE, PORT_IN_USE
 */
export async function startBackend({
  config,
  log,
  events,
  now,
  tls: tlsOf,
  signal,
}: ServiceContext<BackendConfig>): Promise<RunningService> {
  const tls = tlsOf(config.tls);
  const key = readSigningKey(config.signingKeyFile, events);
  const { networkKeyFile, ...network } = config.network;
  const place = {
    network: { ...network, network_key: readNetworkKey(networkKeyFile) },
    gateway: { coap: config.coap },
  };

  const db = openDatabase(config.stateDir);
  const devices = createDevices(db, now);
  const recipients = createRecipients(db);
  const updates = createUpdates({ db, key, recipients, now });
  const allowlists = createAllowlists({ db, key, now });
  const provisioning = createProvisioning({ db, key, recipients, place, now });
  allowlists.renew();

  const connect = (): Promise<MqttClient> => {
    const { broker } = config;
    const timing = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectPeriod: 0, keepalive: 15 };
    const url = `mqtts://${broker.host}:${broker.port}`;
    return connectAsync(url, { ...tls, ...timing, ...pinnedConnect(broker), clientId: "svc-backend" }, false);
  };
  const publisher = startPublisher({ connect, gateways: config.gateways, allowlists, updates, log, signal });
  const limiter = createEventLimiter(events.emit);
  const flush = setInterval(limiter.flush, EVENT_WINDOW_MS);
  const anchorsPem = (): string => tls.ca;
  const journal = await openJournal({ stateDir: config.stateDir, key, now });
  const issuers = issuersOf(config, { anchorsPem, key, now });
  const shared = { config, db, key, journal, issuers, allowlists, publisher };
  const pki = createPki({ ...shared, anchorsPem, events, limiter, log, now });
  const server = createBackendServer({
    tls,
    routes: [
      ...backendRoutes({ devices, provisioning, recipients, updates, allowlists, key, publisher }),
      ...pki.routes,
    ],
    gate: pki.gate,
    events: limiter,
    log,
  });
  const port = await listenTcp(server, config.listen);
  const renew = (): void => {
    try {
      allowlists.renew();
      publisher.allowlistsChanged();
    } catch (thrown) {
      log.error({ err: thrown }, "cannot renew the allowlists");
    }
  };
  const renewal = setInterval(renew, config.allowlistRenewHours * MS_PER_HOUR);

  const refreshing = setInterval(pki.refresh, CRL_REFRESH_MS);

  return {
    ready: () => publisher.lag() === null,
    brokerPins: () => pinsInForce(config.broker),
    status: () => ({
      port,
      reason: publisher.lag(),
      counters: devices.counts(),
      allowlistVersion: allowlists.version(),
      signingKey: key.publicKey,
    }),
    metrics: backendMetrics({
      ...{ devices: devices.counts, allowlistVersion: allowlists.version },
      ...{ tenant: config.tenant, certificates: pki.inventory, now },
      unorderedRevocations: pki.unorderedRevocations,
    }),
    stop: async () => {
      clearInterval(renewal);
      clearInterval(refreshing);
      clearInterval(flush);
      limiter.flush();
      server.close();
      server.closeAllConnections();
      await publisher.done;
      journal.close();
      db.close();
    },
  };
}

function issuersOf({ issuing }: BackendConfig, shared: Omit<StepCaIssuerOptions, "endpoint">): Issuers {
  const { gateways, operators } = issuing;
  return {
    ...(gateways && { gateways: stepCaIssuer({ ...shared, endpoint: gateways }) }),
    ...(operators && { operators: stepCaIssuer({ ...shared, endpoint: operators }) }),
  };
}
