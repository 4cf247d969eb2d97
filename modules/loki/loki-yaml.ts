import { join } from "node:path";

/** What {@link lokiYaml} is rendered from. */
export interface LokiSettings {
  readonly listenHost: string;
  readonly port: number;
  /** Paths of PEM files. */
  readonly tls: { readonly clientCa: string; readonly cert: string; readonly key: string };
  /** Folder of everything that is kept. */
  readonly dataDir: string;
}

/** Port on the container's own loopback that answers `/ready` without TLS: the health check has no certificate. */
export const READY_PORT = 3101;

const LOOPBACK = "127.0.0.1";
/** Loki's own processes speak gRPC with each other here. */
const GRPC_PORT = 9095;
/** How long log lines are kept: 31 days. */
const RETENTION = "744h";

/** `loki.yml`: one process, TLS 1.3 with client certificates, files below one folder. */
export function lokiYaml({ listenHost, port, tls, dataDir }: LokiSettings): object {
  return {
    auth_enabled: false,
    analytics: { reporting_enabled: false },
    server: {
      http_listen_address: listenHost,
      http_listen_port: port,
      tls_min_version: "VersionTLS13",
      http_tls_config: {
        cert_file: tls.cert,
        key_file: tls.key,
        client_auth_type: "RequireAndVerifyClientCert",
        client_ca_file: tls.clientCa,
      },
      grpc_listen_address: LOOPBACK,
      grpc_listen_port: GRPC_PORT,
      log_format: "json",
      log_level: "info",
    },
    internal_server: {
      enable: true,
      http_listen_address: LOOPBACK,
      http_listen_port: READY_PORT,
      grpc_listen_address: LOOPBACK,
    },
    common: {
      instance_addr: LOOPBACK,
      path_prefix: dataDir,
      replication_factor: 1,
      ring: { kvstore: { store: "inmemory" } },
      storage: { filesystem: { chunks_directory: join(dataDir, "chunks"), rules_directory: join(dataDir, "rules") } },
    },
    schema_config: {
      configs: [
        {
          from: "2025-01-01",
          store: "tsdb",
          object_store: "filesystem",
          schema: "v13",
          index: { prefix: "index_", period: "24h" },
        },
      ],
    },
    // One process: what it is looking for is there from its start, and it is not ready before it has looked.
    frontend: { scheduler_dns_lookup_period: "1s" },
    frontend_worker: { dns_lookup_duration: "1s" },
    // There is one ingester: nobody's hand-over is to be waited for.
    ingester: { lifecycler: { min_ready_duration: "0s", final_sleep: "0s" } },
    compactor: {
      working_directory: join(dataDir, "compactor"),
      retention_enabled: true,
      delete_request_store: "filesystem",
    },
    limits_config: {
      retention_period: RETENTION,
      // Lines go by age alone: nobody asks for the deletion of some.
      deletion_mode: "disabled",
      allow_structured_metadata: true,
      discover_service_name: [],
      // Labels are few and known; whatever else a line comes with is structured metadata.
      otlp_config: {
        resource_attributes: {
          ignore_defaults: true,
          attributes_config: [{ action: "index_label", attributes: ["component", "deployment", "tenant"] }],
        },
      },
    },
  };
}
