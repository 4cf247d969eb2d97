import { z } from "zod";
import { trustFeedConfig } from "../runtime/broker-trust/feed.ts";
import { commonConfig, listenConfig, tlsConfig } from "../runtime/config.ts";

const positive = (usual: number) => z.int().min(1).default(usual);

/** What one client, and all of them together, may use. */
const limitsConfig = z.strictObject({
  /** Open connections of all clients. */
  connections: positive(2048),
  /** Connections in their TLS handshake: later ones displace those that have been silent for longest. */
  handshakes: positive(512),
  /** The same of one address. */
  handshakesPerAddress: positive(128),
  /** Open connections of one certificate. */
  connectionsPerIdentity: positive(8),
  /** Subscriptions of one connection. */
  subscriptions: positive(64),
  /** Largest MQTT packet of a gateway, in bytes; an envelope has at most 4096. */
  gatewayPacketBytes: positive(65_536),
  /** Largest MQTT packet of a service, in bytes; an allowlist takes about 280 bytes for each sensor. */
  servicePacketBytes: positive(4_194_304),
  /** Unsent bytes at which a gateway that does not read is disconnected. */
  gatewayQueueBytes: positive(8_388_608),
  /** Unsent bytes at which messages to a service are dropped; whoever needs them stored sends them again without a receipt. */
  serviceQueueBytes: positive(33_554_432),
  /** Longest keep-alive that a client may ask for; none at all is refused. */
  keepAliveSeconds: positive(300),
  /** Time for the TLS handshake, and again for CONNECT. */
  connectSeconds: positive(10),
  /** Time that a client may leave a full socket unread. */
  drainSeconds: positive(30),
  /** Time over which security events that are alike become one. */
  eventWindowSeconds: positive(10),
});

/** What {@link limitsConfig} parses to. */
export type Limits = Readonly<z.infer<typeof limitsConfig>>;

/** Configuration of the embedded broker. */
export const brokerServiceConfig = z.strictObject({
  ...commonConfig,
  listen: listenConfig,
  tls: tlsConfig,
  /** The first revocation lists, with which the broker starts before it has asked the backend. */
  crlFile: z.string().min(1),
  /** Folder that keeps the lists in force; of messages nothing is kept. */
  stateDir: z.string().min(1),
  trust: trustFeedConfig,
  limits: limitsConfig.prefault({}),
});

/** What {@link brokerServiceConfig} parses to. */
export type BrokerServiceConfig = Readonly<z.infer<typeof brokerServiceConfig>>;
