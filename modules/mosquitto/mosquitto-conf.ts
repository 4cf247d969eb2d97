import { assertLines } from "./lines.ts";

/** What {@link renderMosquittoConf} writes down. Paths are those that the broker sees. */
export interface MosquittoConf {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly aclFile: string;
  readonly persistenceDir: string;
  /** What the container may use; the broker refuses what would take it further than three quarters of that. */
  readonly memoryMiB: number;
}

const MIB = 1_048_576;
/** An allowlist takes about 280 bytes for each sensor. */
const MAX_PACKET_BYTES = 4 * MIB;
/** Unsent bytes of one client at which messages to it are dropped; whoever needs them stored sends them again without a receipt. */
const MAX_QUEUED_BYTES = 32 * MIB;
/** The same in messages, which alone bounds QoS 0; an envelope has at most 4096 bytes. */
const MAX_QUEUED_MESSAGES = MAX_QUEUED_BYTES / 4096;

/**
 * `mosquitto.conf` with one listener: TLS 1.3 and a client certificate, whose subject is the user and the client id, so that
 * an identity has one connection and nobody takes over another's session. Retained messages are kept on disk.
 * @throws MOSQUITTO_VALUE_INVALID
 */
export function renderMosquittoConf(conf: MosquittoConf): string {
  const { host, port, caFile, certFile, keyFile, aclFile, persistenceDir, memoryMiB } = conf;
  const path = /^\S(?:.*\S)?$/;
  assertLines({
    host: [host, /^[0-9A-Za-z.:-]+$/],
    port: [String(port), /^[1-9][0-9]{0,4}$/],
    caFile: [caFile, path],
    certFile: [certFile, path],
    keyFile: [keyFile, path],
    aclFile: [aclFile, path],
    persistenceDir: [persistenceDir, path],
    memoryMiB: [String(memoryMiB), /^[1-9][0-9]*$/],
  });
  const settings: readonly (readonly [name: string, value: string | number | boolean])[] = [
    ["per_listener_settings", false],
    // Into a pipe it would write its standard output in blocks, and lose the last one.
    ["log_dest", "stderr"],
    ["log_timestamp_format", "%Y-%m-%dT%H:%M:%S%z"],
    ["connection_messages", true],
    ...["error", "warning", "notice", "information"].map((kind) => ["log_type", kind] as const),
    ["persistence", true],
    ["persistence_location", `${persistenceDir}/`],
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
    ["listener", `${port} ${host}`],
    ["max_connections", 2048],
    ["max_qos", 1],
    ["max_topic_alias", 0],
    ["cafile", caFile],
    ["certfile", certFile],
    ["keyfile", keyFile],
    ["tls_version", "tlsv1.3"],
    ["require_certificate", true],
    ["use_subject_as_username", true],
    ["use_username_as_clientid", true],
  ];
  return settings.map(([name, value]) => `${name} ${value}\n`).join("");
}
