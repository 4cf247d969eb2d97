import { posix } from "node:path";
import { type ComponentIn, type ConfigFile, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { oneListenAddress, ownAddress, secretRefs, TLS_SECRETS } from "../common.ts";
import { hasLoki } from "../logs.ts";
import { DATABASE, type DATABASE_CAS, databaseCa } from "../timescaledb/component.ts";
import { DASHBOARDS, dashboardsWithoutLogs, HOME_DASHBOARD } from "./dashboards/index.ts";
import { renderDatasources } from "./datasources.ts";
import { renderIni } from "./ini.ts";
import { renderProvider } from "./provider.ts";
import { grafanaSettings } from "./settings.ts";

const NAME = "grafana";
const HOME = "/usr/share/grafana";
const SCRATCH = "/tmp";
const DATASOURCES_FILE = "provisioning/datasources/trustkern.yaml";

/** Secrets beside the TLS ones: the administrator's password, the database's reader's, and what Grafana encrypts its own secrets with. */
const SECRETS = ["admin.password", "database.password", "encryption.key"] as const;

/**
 * Dashboards on the telemetry, so in the zone that may hold plaintext. It asks the database as the role that only reads. There is none
 * where the deployment says `images.grafana: absent`.
 */
export function grafana(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const { port, servername } = placement.endpoint(NAME, "https");
  const [ini, ...provisioned] = files(deployment, placement);
  return component({
    name: NAME,
    zone: "decryption",
    holds: ["plaintext", "metadata", "credential"],
    image: "grafana",
    command: [`${HOME}/bin/grafana`, "server", "--homepath", HOME, "--config", ini.path],
    // The image sets these five in its environment, which wins over the configuration file.
    environment: {
      GF_PATHS_CONFIG: ini.path,
      GF_PATHS_DATA: placement.volumeDir(NAME, "data"),
      GF_PATHS_LOGS: `${SCRATCH}/logs`,
      GF_PATHS_PLUGINS: `${SCRATCH}/plugins`,
      GF_PATHS_PROVISIONING: posix.dirname(posix.dirname(placement.configFile(NAME, DATASOURCES_FILE))),
    },
    identity: "svc-grafana",
    ports: [{ name: "https", port, protocol: "tcp", publish: true }],
    files: [ini, ...provisioned],
    secrets: secretRefs(placement, NAME, [...new Set([...TLS_SECRETS, ...SECRETS, databaseCa(deployment)])]),
    volumes: [{ name: "data", path: placement.volumeDir(NAME, "data") }],
    scratch: [{ path: SCRATCH, maxMiB: 64 }],
    // The image has curl. It asks itself by the name in its certificate, and so finds a certificate that nobody would accept, too.
    health: {
      kind: "command",
      command: [
        "/usr/bin/curl",
        ...["--disable", "--silent", "--show-error", "--fail", "--output", "/dev/null", "--max-time", "4", "--tlsv1.3"],
        ...[
          "--cacert",
          placement.secretFile(NAME, "ca.crt"),
          "--connect-to",
          `${servername}:${port}:${ownAddress(placement, NAME, "https")}:${port}`,
        ],
        `https://${servername}:${port}/api/health`,
      ],
      startupSeconds: 90,
    },
    limits: { memoryMiB: 512, pids: 128, cpus: 1 },
    network: true,
  });
}

function files(deployment: Deployment, placement: Placement): readonly [ConfigFile, ...ConfigFile[]] {
  const { port, servername } = placement.endpoint(NAME, "https");
  const file = (path: string, content: string): ConfigFile => ({
    path: placement.configFile(NAME, path),
    content,
    mode: 0o600,
  });
  const secret = (name: (typeof SECRETS | typeof TLS_SECRETS | typeof DATABASE_CAS)[number]) =>
    placement.secretFile(NAME, name);
  const tls = { caFile: secret("ca.crt"), certFile: secret("tls.crt"), keyFile: secret("tls.key") };
  const logs = hasLoki(deployment);
  const dashboards = (logs ? DASHBOARDS : dashboardsWithoutLogs()).map(({ uid, json }) =>
    file(`dashboards/${uid}.json`, json),
  );
  const homeDashboardFile = placement.configFile(NAME, `dashboards/${HOME_DASHBOARD}.json`);
  const settings = grafanaSettings({
    listen: { host: oneListenAddress(placement, NAME, "https"), port },
    servername,
    publishedPort: deployment.ports[`${NAME}.https`] || port,
    ...tls,
    adminPasswordFile: secret("admin.password"),
    secretKeyFile: secret("encryption.key"),
    homeDashboardFile,
  });
  const datasources = renderDatasources({
    postgres: placement.endpoint("database", "postgres"),
    loki: logs ? placement.endpoint("loki", "https") : undefined,
    prometheus: placement.endpoint("prometheus", "https"),
    database: {
      name: DATABASE.database,
      user: DATABASE.reader,
      passwordFile: secret("database.password"),
      caFile: secret(databaseCa(deployment)),
    },
    tls,
  });
  return [
    file("grafana.ini", renderIni(settings)),
    file(DATASOURCES_FILE, datasources),
    file("provisioning/dashboards/trustkern.yaml", renderProvider(posix.dirname(homeDashboardFile))),
    ...dashboards,
  ];
}
