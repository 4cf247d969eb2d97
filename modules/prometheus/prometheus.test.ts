import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Deployment } from "../../model/deployment.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { buildModel } from "../index.ts";
import { referencePlacement } from "../reference-placement.ts";
import { METRICS_PORT } from "./metrics-port.ts";
import { scrapeTargets } from "./prometheus-yaml.ts";

const deployment: Deployment = { ...defaultDeployment(), engine: "docker", gateways: ["gw-01", "gw-02"] };
const placement = referencePlacement(deployment);
const model = buildModel(deployment, placement);
const named = (name: string) => model.components.find((component) => component.name === name)!;

interface Scrape {
  readonly job_name: string;
  readonly scheme: string;
  readonly tls_config: Readonly<Record<string, unknown>>;
}

it("reads from those that the model lets it reach, and from no other", () => {
  const flows = model.flows.filter(({ from, byEngine }) => from === "prometheus" && byEngine !== true);
  const reached = flows.map(({ to, port }) => ({ component: to, port }));
  expect(reached).toHaveLength(scrapeTargets(deployment).length);
  expect(scrapeTargets(deployment)).toEqual(expect.arrayContaining(reached));
});

it("reads from every service of ours that has a network and holds no sensor's key", () => {
  const served = model.components.filter(({ ports }) => ports.some(({ name }) => name === METRICS_PORT));
  const targets = scrapeTargets(deployment).filter(({ port }) => port === METRICS_PORT);
  expect(served.map(({ name }) => name).sort()).toEqual(targets.map(({ component }) => component).sort());
});

it("checks every target's own name over TLS 1.3, and shows its certificate", () => {
  const config = parse(named("prometheus").files[0]?.content ?? "") as { readonly scrape_configs: readonly Scrape[] };
  expect(config.scrape_configs).toHaveLength(scrapeTargets(deployment).length);
  for (const { job_name: component, scheme, tls_config: tls } of config.scrape_configs) {
    expect(scheme).toBe("https");
    expect(tls).toMatchObject({
      server_name: `${component}.${deployment.tenant}.trustkern.internal`,
      min_version: "TLS13",
      ca_file: "secret:prometheus/ca.crt",
      key_file: "secret:prometheus/tls.key",
    });
    expect(tls).not.toHaveProperty("insecure_skip_verify");
  }
});

describe("its own port", () => {
  const built = (more: Partial<Deployment>) => {
    const { components } = buildModel({ ...deployment, ...more }, placement);
    const { files, ports } = components.find(({ name }) => name === "prometheus")!;
    const web = parse(files.find(({ path }) => path.endsWith("web.yml"))?.content ?? "").tls_server_config;
    return { web, published: ports.filter(({ publish }) => publish === true).map(({ name }) => name) };
  };
  const upstream = { source: "registry", grafana: "present" } as const;
  const name = (component: string) => `${component}.${deployment.tenant}.trustkern.internal`;

  it("takes Grafana and its own health check alone, and is not published", () => {
    const { web, published } = built({ images: upstream });
    expect(web.client_allowed_sans).toEqual([name("prometheus"), name("grafana")]);
    expect(published).toEqual([]);
    expect(built({ images: { ...upstream, grafana: "absent" } }).web.client_allowed_sans).toEqual([name("prometheus")]);
  });

  it("takes the vendor's reader as well, and is published, where the deployment says so", () => {
    const { web, published } = built({ images: upstream, telemetry: { vendor: "metrics" } });
    expect(web.client_allowed_sans).toEqual([name("prometheus"), name("grafana"), name("vendor-metrics")]);
    expect(web.client_auth_type).toBe("RequireAndVerifyClientCert");
    expect(published).toEqual(["https"]);
  });

  it("has no list that Debian's release would refuse to start with", () => {
    const { web } = built({ images: { source: "packages", grafana: "absent" } });
    expect(web).not.toHaveProperty("client_allowed_sans");
    expect(web).toMatchObject({ client_auth_type: "RequireAndVerifyClientCert", min_version: "TLS13" });
  });
});

it("lets custody, which has no network, serve no metrics", () => {
  expect(named("custody").files[0]?.content).not.toContain("metrics");
});

it("serves a gateway's metrics with a certificate that is not the gateway's own", () => {
  const { metrics } = JSON.parse(named("gw-01").files[0]?.content ?? "");
  expect(metrics.tls).toMatchObject({ certFile: "secret:gw-01/metrics.crt", keyFile: "secret:gw-01/metrics.key" });
  expect(metrics.clients).toEqual(["svc-prometheus"]);
});

it("is not there on the embedded engine, and neither is any metrics port", () => {
  const embedded = buildModel({ ...deployment, engine: "embedded" }, placement);
  expect(embedded.components.map(({ name }) => name)).not.toContain("prometheus");
  for (const { ports, files, secrets } of embedded.components) {
    expect(ports.map(({ name }) => name)).not.toContain(METRICS_PORT);
    expect(files[0]?.content).not.toContain('"metrics"');
    expect(secrets.map(({ name }) => name)).not.toContain("metrics.key");
  }
});
