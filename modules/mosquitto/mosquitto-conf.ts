import { assertLines } from "./lines.ts";

/** What {@link renderMosquittoConf} writes down. Paths are those that the broker sees. */
export interface MosquittoConf {
  /** Addresses that it listens on, each with the same settings. */
  readonly hosts: readonly [string, ...string[]];
  readonly port: number;
  /**
   * A further port, for services alone, at which an identity may have several connections: collectors that share a subscription.
   * @default no such port
   */
  readonly servicesPort?: number | undefined;
  /** Folder in memory with `ca.crt`, `tls.crt`, `tls.key` and `sessions.json`, which the guard writes. */
  readonly liveDir: string;
  readonly aclFile: string;
  /** Folder that is kept: retained messages, and `crl.pem` and `crl-services.pem`, which the guard writes. */
  readonly stateDir: string;
  /** What the container may use; the broker refuses what would take it further than three quarters of that. */
  readonly memoryMiB: number;
}

type Setting = readonly [name: string, value: string | number | boolean];

const MIB = 1_048_576;
/** An allowlist takes about 280 bytes for each sensor. */
const MAX_PACKET_BYTES = 4 * MIB;
/** Unsent bytes of one client at which messages to it are dropped; whoever needs them stored sends them again without a receipt. */
const MAX_QUEUED_BYTES = 32 * MIB;
/** The same in messages, which alone bounds QoS 0; an envelope has at most 4096 bytes. */
const MAX_QUEUED_MESSAGES = MAX_QUEUED_BYTES / 4096;

/** The suites of TLS 1.3 that TrustKern speaks, all of them AEAD (RFC 8446, section B.4). */
const AEAD_SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/**
 * `mosquitto.conf` with a listener for each address: TLS 1.3 and a client certificate, whose subject is the user and the client id, so that
 * an identity has one connection and nobody takes over another's session; on the port for services alone it is the user. Retained
 * messages are kept on disk.
 * @throws MOSQUITTO_VALUE_INVALID
 */
export function renderMosquittoConf(conf: MosquittoConf): string {
  const { hosts, port, servicesPort, liveDir, aclFile, stateDir, memoryMiB } = conf;
  const path = /^\S(?:.*\S)?$/;
  assertLines({
    ...Object.fromEntries(hosts.map((host, index) => [`hosts[${index}]`, [host, /^[0-9A-Za-z.:-]+$/] as const])),
    port: [String(port), /^[1-9][0-9]{0,4}$/],
    ...(servicesPort !== undefined && { servicesPort: [String(servicesPort), /^[1-9][0-9]{0,4}$/] }),
    liveDir: [liveDir, path],
    aclFile: [aclFile, path],
    stateDir: [stateDir, path],
    memoryMiB: [String(memoryMiB), /^[1-9][0-9]*$/],
  });
  const settings: readonly Setting[] = [
    ["per_listener_settings", false],
    // Into a pipe it would write its standard output in blocks, and lose the last one.
    ["log_dest", "stderr"],
    ["log_timestamp_format", "%Y-%m-%dT%H:%M:%S%z"],
    ["connection_messages", true],
    ...["error", "warning", "notice", "information"].map((kind) => ["log_type", kind] as const),
    ["persistence", true],
    ["persistence_location", `${stateDir}/`],
    ["autosave_interval", 60],
    ["persistent_client_expiration", "1d"],
    ["max_packet_size", MAX_PACKET_BYTES],
    ["max_inflight_messages", 1000],
    ["max_queued_messages", MAX_QUEUED_MESSAGES],
    ["max_queued_bytes", MAX_QUEUED_BYTES],
    ["queue_qos0_messages", false],
    ["memory_limit", Math.floor((memoryMiB * MIB * 3) / 4)],
    ["set_tcp_nodelay", true],
    ["allow_anonymous", false],
    ["acl_file", aclFile],
    // Knows nobody and decides nothing: it ends sessions, which nothing else in Mosquitto does. The loader finds it by name.
    ["plugin", "mosquitto_dynamic_security.so"],
    ["plugin_opt_config_file", `${liveDir}/sessions.json`],
    ...hosts.flatMap((host) => [
      ...listenerSettings(host, port, conf),
      ["crlfile", `${stateDir}/crl.pem`] as const,
      ["use_username_as_clientid", true] as const,
    ]),
    // OpenSSL accepts nobody whose issuer has no list: this file has none of gateways or operators. So who may take any client id,
    // and with it end another's session, is a service.
    ...(servicesPort === undefined
      ? []
      : hosts.flatMap((host) => [
          ...listenerSettings(host, servicesPort, conf),
          ["crlfile", `${stateDir}/crl-services.pem`] as const,
        ])),
  ];
  return settings.map(([name, value]) => `${name} ${value}\n`).join("");
}

function listenerSettings(host: string, port: number, { liveDir }: MosquittoConf): readonly Setting[] {
  return [
    ["listener", `${port} ${host}`],
    ["max_connections", 2048],
    ["max_qos", 1],
    ["max_topic_alias", 0],
    ["cafile", `${liveDir}/ca.crt`],
    ["certfile", `${liveDir}/tls.crt`],
    ["keyfile", `${liveDir}/tls.key`],
    ["tls_version", "tlsv1.3"],
    ["ciphers_tls1.3", AEAD_SUITES],
    ["require_certificate", true],
    ["use_subject_as_username", true],
  ];
}
