import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { hasLoki } from "../logs.ts";
import { METRICS_PORT } from "./metrics-port.ts";

/** A port that Prometheus reads metrics from. */
export interface ScrapeTarget {
  readonly component: string;
  readonly port: string;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const INTERVAL = "15s";
/** Far above what any target has: one that invents labels is not read, rather than fills the memory. */
const MAX_SAMPLES = 10_000;

/** All that Prometheus reads: our services that have a network, and Loki. Each one is a flow of the model. */
export function scrapeTargets(deployment: Deployment): readonly ScrapeTarget[] {
  const ours = ["backend", "collector", "broker", ...deployment.gateways].map((component) => ({
    component,
    port: METRICS_PORT,
  }));
  return [...ours, ...(hasLoki(deployment) ? [{ component: "loki", port: "https" }] : [])];
}

/** `prometheus.yml`: every target over TLS 1.3 with Prometheus' certificate, and checked against its own name. */
export function prometheusYaml(deployment: Deployment, placement: Placement, tls: TlsFiles, rulesFile: string): object {
  return {
    global: {
      scrape_interval: INTERVAL,
      evaluation_interval: INTERVAL,
      external_labels: { deployment: deployment.name, tenant: deployment.tenant },
    },
    rule_files: [rulesFile],
    scrape_configs: scrapeTargets(deployment).map(({ component, port: portName }) => {
      const { host, port, servername } = placement.endpoint(component, portName);
      return {
        job_name: component,
        scheme: "https",
        tls_config: clientTls(tls, servername),
        follow_redirects: false,
        sample_limit: MAX_SAMPLES,
        ...whereOf(deployment, component, host, port),
      };
    }),
  };
}

/** Of several collectors behind a name each one is read, and of what runs once the one. */
function whereOf({ engine }: Deployment, component: string, host: string, port: number): object {
  if (engine !== "kubernetes" || component !== "collector") {
    return { static_configs: [{ targets: [`${host}:${port}`], labels: { component } }] };
  }
  return {
    dns_sd_configs: [{ names: [host], type: "A", port, refresh_interval: INTERVAL }],
    relabel_configs: [{ target_label: "component", replacement: component }],
  };
}

/** What {@link webYaml} is rendered from. */
export interface WebSettings extends Omit<TlsFiles, "ca"> {
  readonly clientCa: string;
  /** DNS names, one of which a client's certificate must have. @default every certificate of `clientCa` will do */
  readonly clients?: readonly string[] | undefined;
}

/** `web.yml`: TLS 1.3 with client certificates on Prometheus' own port. */
export function webYaml({ clientCa, cert, key, clients }: WebSettings): object {
  return {
    tls_server_config: {
      cert_file: cert,
      key_file: key,
      client_auth_type: "RequireAndVerifyClientCert",
      client_ca_file: clientCa,
      ...(clients === undefined ? {} : { client_allowed_sans: [...clients] }),
      min_version: "TLS13",
    },
  };
}

/** The HTTP client of `promtool` that asks Prometheus itself for its health. */
export function healthYaml(tls: TlsFiles, servername: string): object {
  return { tls_config: clientTls(tls, servername), follow_redirects: false };
}

function clientTls({ ca, cert, key }: TlsFiles, servername: string): object {
  return { ca_file: ca, cert_file: cert, key_file: key, server_name: servername, min_version: "TLS13" };
}
