/** What {@link shipperYaml} is rendered from. */
export interface ShipperSettings {
  readonly deployment: string;
  readonly tenant: string;
  /** Unix socket that takes log lines in the Fluent Forward protocol. */
  readonly socket: string;
  /** Folder of the queue. */
  readonly queueDir: string;
  readonly loki: { readonly host: string; readonly port: number; readonly servername: string };
  /** Paths of PEM files. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly memoryMiB: number;
}

const MEBIBYTE = 1 << 20;
/** Lines that wait on disk while Loki is away, before they are put into their compressed form. */
const QUEUE_MAX_BYTES = 256 * MEBIBYTE;
const BATCH_BYTES = MEBIBYTE;

/**
 * The collector's configuration: lines come in over one Unix socket, get the labels of their component, wait in a queue on
 * disk, and leave for Loki over mutual TLS 1.3. It tells nobody of itself but by its log.
 */
export function shipperYaml(settings: ShipperSettings): object {
  const { loki, tls, memoryMiB } = settings;
  return {
    extensions: { file_storage: { directory: settings.queueDir, fsync: true } },
    receivers: { fluent_forward: { endpoint: `unix://${settings.socket}` } },
    processors: {
      memory_limiter: {
        check_interval: "1s",
        limit_mib: Math.floor(memoryMiB * 0.8),
        spike_limit_mib: Math.floor(memoryMiB * 0.2),
      },
      // Docker tags every line with the container's name, which is the component's.
      groupbyattrs: { keys: ["fluent.tag"] },
      resource: {
        attributes: [
          { key: "component", from_attribute: "fluent.tag", action: "insert" },
          { key: "fluent.tag", action: "delete" },
          { key: "deployment", value: settings.deployment, action: "upsert" },
          { key: "tenant", value: settings.tenant, action: "upsert" },
        ],
      },
    },
    exporters: {
      otlp_http: {
        endpoint: `https://${loki.host}:${loki.port}/otlp`,
        tls: {
          ca_file: tls.ca,
          cert_file: tls.cert,
          key_file: tls.key,
          server_name_override: loki.servername,
          min_version: "1.3",
        },
        // A batch is made of what is on disk already, and is taken off the disk when Loki has it.
        sending_queue: {
          storage: "file_storage",
          sizer: "bytes",
          queue_size: QUEUE_MAX_BYTES,
          block_on_overflow: false,
          batch: { flush_timeout: "1s", sizer: "bytes", min_size: BATCH_BYTES / 4, max_size: BATCH_BYTES },
        },
        retry_on_failure: { enabled: true, max_interval: "10s", max_elapsed_time: 0 },
      },
    },
    service: {
      extensions: ["file_storage"],
      pipelines: {
        logs: {
          receivers: ["fluent_forward"],
          processors: ["memory_limiter", "groupbyattrs", "resource"],
          exporters: ["otlp_http"],
        },
      },
      telemetry: { logs: { encoding: "json" }, metrics: { level: "none" } },
    },
  };
}
