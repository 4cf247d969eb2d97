import { type ComponentIn, type ConfigFile, component, type Exception } from "../../model/component.ts";
import { type Deployment, runsUpstream } from "../../model/deployment.ts";
import { type Placement, serverName } from "../../model/placement.ts";
import { ownAddress, SERVICES_ONLY, secretRefs, TLS_SECRETS } from "../common.ts";
import { hasLoki } from "../logs.ts";
import { yamlFile } from "../yaml-file.ts";
import { alertsYaml } from "./alerts.ts";
import { PROMETHEUS_IDENTITY, VENDOR_METRICS_IDENTITY } from "./metrics-port.ts";
import { healthYaml, prometheusYaml, webYaml } from "./prometheus-yaml.ts";

/** Longest that samples are kept. */
const RETENTION = "15d";
/** Most that they may take, oldest first out. */
const RETENTION_SIZE = "4GB";

/** Metrics of our services and of Loki, and the alerts on them. */
export function prometheus(deployment: Deployment, placement: Placement): ComponentIn<"operations"> {
  const name = "prometheus";
  const dataDir = placement.volumeDir(name, "data");
  const { port, servername } = placement.endpoint(name, "https");
  const vendor = deployment.telemetry.vendor === "metrics";
  const tls = {
    ca: placement.secretFile(name, "ca.crt"),
    cert: placement.secretFile(name, "tls.crt"),
    key: placement.secretFile(name, "tls.key"),
  };
  const [main, web, rules, health] = ["prometheus.yml", "web.yml", "alerts.yml", "health.yml"].map((file) =>
    placement.configFile(name, file),
  ) as [string, string, string, string];
  return component({
    name,
    zone: "operations",
    holds: ["metadata", "credential"],
    image: "prometheus",
    command: [
      "/bin/prometheus",
      `--config.file=${main}`,
      `--web.config.file=${web}`,
      // Debian's 2.42 takes one of them; a second one is the vendor's, for whom upstream's image is asked.
      ...placement.listenAddresses(name, "https").map((address) => `--web.listen-address=${address}:${port}`),
      `--storage.tsdb.path=${dataDir}`,
      `--storage.tsdb.retention.time=${RETENTION}`,
      `--storage.tsdb.retention.size=${RETENTION_SIZE}`,
      "--log.format=json",
    ],
    identity: PROMETHEUS_IDENTITY,
    ports: [{ name: "https", port, protocol: "tcp", ...(vendor ? { publish: true } : {}) }],
    files: [
      yamlFile(main, prometheusYaml(deployment, placement, tls, rules)),
      yamlFile(
        web,
        webYaml({ ...tls, clientCa: placement.secretFile(name, SERVICES_ONLY), clients: clientsOf(deployment) }),
      ),
      alertsFile(rules, hasLoki(deployment)),
      yamlFile(health, healthYaml(tls, servername)),
    ],
    secrets: secretRefs(placement, name, [...TLS_SECRETS, SERVICES_ONLY]),
    volumes: [{ name: "data", path: dataDir }],
    // Its web server and its scrapes read the files again at each handshake.
    renewal: "watch",
    health: {
      kind: "command",
      command: [
        "/bin/promtool",
        "check",
        "healthy",
        `--http.config.file=${health}`,
        `--url=https://${ownAddress(placement, name, "https")}:${port}`,
      ],
      startupSeconds: 60,
    },
    limits: { memoryMiB: 512, pids: 64, cpus: 1 },
    network: true,
    exceptions: exceptionsOf(deployment),
  });
}

const alerts = new Map<boolean, ConfigFile>();

/** The same in every deployment with logs, and without, and longer than all else that is written in YAML: written once. */
function alertsFile(path: string, logs: boolean): ConfigFile {
  const written = alerts.get(logs) ?? yamlFile(path, alertsYaml(logs));
  alerts.set(logs, written);
  return { ...written, path };
}

/** DNS names of those who may read: Grafana, the component's own health check, and the vendor where the deployment says so. */
function clientsOf({ images, telemetry, tenant }: Deployment): readonly string[] | undefined {
  // Debian's 2.42 knows no list (2.45 does): the networks say who reaches the port, and Grafana alone does.
  if (!runsUpstream(images)) return undefined;
  const vendor = VENDOR_METRICS_IDENTITY.replace(/^svc-/, "");
  const names = [
    "prometheus",
    ...(images.grafana === "absent" ? [] : ["grafana"]),
    ...(telemetry.vendor === "metrics" ? [vendor] : []),
  ];
  return names.map((name) => serverName(name, tenant));
}

function exceptionsOf({ images }: Deployment): readonly Exception[] {
  if (runsUpstream(images)) return [];
  return [
    {
      what: "no health check in its container",
      grants: ["health:none"],
      reason:
        "Debian's promtool 2.42 cannot ask over TLS (2.44 can), and its image holds no other program that could; the alert and the data sources that read from it say when it is away",
    },
  ];
}
