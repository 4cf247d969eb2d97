/** Superuser of a real Postgres. No flow logs in as it but that of the schema job. */
export const SUPERUSER = "postgres";

/** Who may log in how: over TLS, with a password; a socket is there for the image's own first start. */
export const PG_HBA = `local all all scram-sha-256
hostssl all all all scram-sha-256
`;

/** What {@link postgresCommand} names. Paths are those that the server sees. */
export interface PostgresCommand {
  readonly listenAddresses: readonly string[];
  readonly port: number;
  readonly hbaFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a container of the upstream image runs: the image's own entry point, which makes the cluster, and every setting that matters. */
export function postgresCommand({ listenAddresses, port, hbaFile, certFile, keyFile }: PostgresCommand) {
  const settings = {
    listen_addresses: listenAddresses.join(),
    port,
    hba_file: hbaFile,
    ssl: "on",
    ssl_cert_file: certFile,
    ssl_key_file: keyFile,
    ssl_min_protocol_version: "TLSv1.3",
    password_encryption: "scram-sha-256",
    shared_preload_libraries: "timescaledb",
    "timescaledb.telemetry_level": "off",
  };
  return [
    "/usr/local/bin/docker-entrypoint.sh",
    "postgres",
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ] as const;
}
