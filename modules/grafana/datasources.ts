import { stringify } from "yaml";
import type { Endpoint } from "../../model/placement.ts";
import { fileValue } from "./ini.ts";

/** Unique ids of the data sources; dashboards name no other. */
export const DATASOURCES = {
  database: { uid: "trustkern-database", type: "grafana-postgresql-datasource" },
  logs: { uid: "trustkern-logs", type: "loki" },
  metrics: { uid: "trustkern-metrics", type: "prometheus" },
} as const;

/** What {@link renderDatasources} is told. */
export interface DatasourcesInput {
  readonly postgres: Endpoint;
  /** None where there is no Loki. */
  readonly loki: Endpoint | undefined;
  readonly prometheus: Endpoint;
  readonly database: {
    readonly name: string;
    readonly user: string;
    readonly passwordFile: string;
    /** Trust anchors of its certificate. */
    readonly caFile: string;
  };
  readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
}

/**
 * The provisioning file of the data sources: the database as the role that only reads, Loki and Prometheus with Grafana's own
 * certificate. Nobody edits them in the browser, and secrets are read from files when Grafana starts.
 * @throws GRAFANA_SETTING_INVALID
 */
export function renderDatasources(input: DatasourcesInput): string {
  const { postgres, database, tls } = input;
  const mutual = (endpoint: Endpoint, jsonData: object) => ({
    url: `https://${endpoint.host}:${endpoint.port}`,
    jsonData: {
      tlsAuth: true,
      tlsAuthWithCACert: true,
      tlsSkipVerify: false,
      serverName: endpoint.servername,
      ...jsonData,
    },
    secureJsonData: {
      tlsCACert: fileValue(tls.caFile),
      tlsClientCert: fileValue(tls.certFile),
      tlsClientKey: fileValue(tls.keyFile),
    },
  });
  const common = { orgId: 1, access: "proxy", editable: false };
  return stringify({
    apiVersion: 1,
    prune: true,
    datasources: [
      {
        name: "TrustKern database",
        ...DATASOURCES.database,
        ...common,
        isDefault: true,
        url: `${postgres.host}:${postgres.port}`,
        user: database.user,
        jsonData: {
          database: database.name,
          sslmode: "verify-full",
          tlsConfigurationMethod: "file-path",
          sslRootCertFile: database.caFile,
          timescaledb: true,
          timeInterval: "1m",
          maxOpenConns: 8,
          maxIdleConns: 4,
          connMaxLifetime: 3600,
        },
        secureJsonData: { password: fileValue(database.passwordFile) },
      },
      ...(input.loki === undefined
        ? []
        : [
            {
              name: "TrustKern logs",
              ...DATASOURCES.logs,
              ...common,
              ...mutual(input.loki, { maxLines: 1000, manageAlerts: false }),
            },
          ]),
      {
        name: "TrustKern metrics",
        ...DATASOURCES.metrics,
        ...common,
        ...mutual(input.prometheus, { httpMethod: "POST", timeInterval: "15s", manageAlerts: false }),
      },
    ],
  });
}
