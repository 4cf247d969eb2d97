import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { issueDeploymentCertificates } from "../../certs/deployment.ts";
import { DATASOURCES } from "../../modules/grafana/datasources.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";
import { createCounters as collectorCounters } from "../../services/collector/counters.ts";
import { collectorMetrics } from "../../services/collector/metrics.ts";
import { createCounters as gatewayCounters } from "../../services/gateway/counters.ts";
import { gatewayMetrics } from "../../services/gateway/metrics.ts";
import type { Metric } from "../../services/runtime/metrics/metric.ts";
import { startMetrics } from "../../services/runtime/metrics/start.ts";
import { readTls } from "../../services/runtime/tls.ts";
import { describeTls } from "../../services/runtime/tls-set.ts";
import { expandExpr, type QueryContext } from "./dashboards/macros.ts";
import { PANEL_QUERIES } from "./dashboards/panels.ts";
import { ForeignProcess } from "./dashboards/process.ts";

const queriesOf = (source: { readonly uid: string }) =>
  PANEL_QUERIES.filter(({ target }) => target.datasource.uid === source.uid).map(
    ({ name, target }) => [name, target.expr ?? ""] as const,
  );
const context = (): QueryContext => ({
  from: new Date(Date.now() - 300_000),
  to: new Date(),
  intervalMs: 15_000,
  variables: {},
});

describe("PromQL of the dashboards, on what our services measure", () => {
  const prometheus = new ForeignProcess();
  const closing: (() => void)[] = [];
  const counted = collectorCounters();
  const ticking = setInterval(() => {
    counted.accepted += 10;
    counted.rejected["bad-signature"] = (counted.rejected["bad-signature"] ?? 0) + 1;
    counted.dropped.overflow += 1;
  }, 200);

  beforeAll(async () => {
    const targets = await serveMetrics();
    const file = (name: string, content: unknown) => {
      const path = join(prometheus.folder, name);
      writeFileSync(path, typeof content === "string" ? content : stringify(content));
      return path;
    };
    const rule = { alert: "Always", expr: "vector(1)", labels: { severity: "warning", component: "collector" } };
    file("rules.yml", { groups: [{ name: "test", interval: "1s", rules: [rule] }] });
    const config = file("prometheus.yml", {
      global: { scrape_interval: "1s" },
      rule_files: ["rules.yml"],
      scrape_configs: targets.map(({ component, port }) => ({
        job_name: component,
        scheme: "https",
        tls_config: {
          ca_file: join(prometheus.folder, "ca"),
          cert_file: join(prometheus.folder, "svc-prometheus.crt"),
          key_file: join(prometheus.folder, "svc-prometheus.key"),
          server_name: "svc.acme.trustkern.internal",
        },
        static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { component } }],
      })),
    });
    const data = join(prometheus.folder, "data");
    await prometheus.start(
      "prometheus",
      (port) => [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`],
      "/-/ready",
    );
    while ((await query("count(ALERTS) + count(count_over_time(trustkern_ready[1m]) > 3) > 2")).length === 0)
      await delay(250);
  });
  afterAll(async () => {
    clearInterval(ticking);
    for (const close of closing) close();
    await prometheus.close();
  });

  async function serveMetrics(): Promise<readonly { readonly component: string; readonly port: number }[]> {
    const services = ["svc-collector", "svc-prometheus"].map((name) => ({
      name,
      dnsNames: ["svc.acme.trustkern.internal"],
      ipAddresses: [],
    }));
    const clock = () => new Date();
    const pki = await issueDeploymentCertificates({
      tenant: "acme",
      clock,
      services,
      gateways: ["gw-01"],
      operators: [],
    });
    const at = (name: string) => join(prometheus.folder, name);
    writeFileSync(at("ca"), pki.root.certPem);
    for (const { name, certPem, keyPem } of pki.leaves) {
      writeFileSync(at(`${name}.crt`), certPem);
      writeFileSync(at(`${name}.key`), keyPem, { mode: 0o600 });
    }
    const cert = pki.leaves.find(({ name }) => name === "gw-01")?.certPem ?? "";
    const measured: Readonly<Record<string, readonly Metric[]>> = {
      collector: collectorMetrics({
        waiting: () => 1,
        held: () => 2,
        parked: () => 3,
        allowlistVersion: () => 4,
        freshSince: () => Date.now(),
        counters: counted,
        dependencies: () => ({ broker: true, database: true, custody: false }),
      }),
      "gw-01": gatewayMetrics({
        counters: gatewayCounters(),
        spooled: () => 5,
        inFlight: () => 1,
        quarantined: () => 0,
        allowlist: () => null,
        brokerConnected: () => true,
        certificate: () => describeTls({ ca: pki.root.certPem, cert }),
      }),
    };
    const tls = readTls({ caFile: at("ca"), certFile: at("svc-collector.crt"), keyFile: at("svc-collector.key") });
    const serve = async ([component, metrics]: [string, readonly Metric[]]) => {
      const config = { listen: { hosts: ["127.0.0.1"] as [string], port: 0 }, clients: ["svc-prometheus"] };
      const quiet = { events: { emit: () => undefined }, log: { error: () => undefined } };
      const { port, close } = await startMetrics({ config, tls, ready: () => true, metrics, ...quiet });
      closing.push(close);
      return { component, port };
    };
    return Promise.all(Object.entries(measured).map(serve));
  }

  async function query(
    expr: string,
  ): Promise<readonly { readonly metric: object; readonly value: [number, string] }[]> {
    const response = await prometheus.get(`/api/v1/query?${new URLSearchParams({ query: expr })}`);
    const answer = (await response.json()) as { status: string; error?: string; data?: { result: never[] } };
    if (answer.status !== "success") throw new Error(answer.error);
    return answer.data?.result ?? [];
  }

  it.each(queriesOf(DATASOURCES.metrics))("%s answers with a number", async (_, expr) => {
    const series = await query(expandExpr(expr, context()));
    expect(series.length).toBeGreaterThan(0);
    for (const { value } of series) expect(Number(value[1])).not.toBeNaN();
  });

  it("shows a component that cannot be asked as not ready", async () => {
    const [, readiness = ""] = queriesOf(DATASOURCES.metrics).find(([name]) => name.endsWith("Readiness A")) ?? [];
    closing.pop()?.();
    let lowest = 1;
    while (lowest > 0) {
      await delay(250);
      lowest = Math.min(...(await query(readiness)).map(({ value }) => Number(value[1])));
    }
    expect((await query(readiness)).map(({ value }) => value[1]).sort()).toEqual(["0", "1"]);
  });

  it("is refused where it is not PromQL, and empty where nothing is measured by that name", async () => {
    await expect(query("sum by verdict (up)")).rejects.toThrow(/parse error/);
    expect(await query("trustkern_collector_messages_acceptd_total")).toEqual([]);
  });
});

describe("LogQL of the dashboards, on what our components write", () => {
  const loki = new ForeignProcess();
  const written: Readonly<Record<string, readonly string[]>> = {
    "gw-01": [
      '{"level":30,"msg":"started without an error"}',
      '{"level":40,"msg":"a warning"}',
      '{"level":50,"msg":"a fault"}',
      '{"level":30,"event":{"kind":"AUTH_FAILED"},"msg":"security event"}',
    ],
    broker: ["1: Warning: a file is old", "2: New connection", "no-errors-here"],
    grafana: ['{"level":"info","msg":"ok"}', '{"level":"error","msg":"bad"}', '{"msg":"without a level"}'],
    loki: ["level=warn ts=1 msg=x", "level=info ts=1 msg=x"],
  };

  beforeAll(async () => {
    const tools = {
      cacheDir: defaultCacheDir(process.env, homedir()),
      toolsDir: join(import.meta.dirname, "../../tools"),
      env: process.env,
      signal: AbortSignal.timeout(900_000),
      onProgress: () => undefined,
    };
    const program = await ensureTool(tools, "loki");
    const at = (name: string) => join(loki.folder, name);
    const config = (port: number) => ({
      auth_enabled: false,
      analytics: { reporting_enabled: false },
      server: {
        http_listen_address: "127.0.0.1",
        http_listen_port: port,
        grpc_listen_address: "127.0.0.1",
        grpc_listen_port: 0,
      },
      common: {
        path_prefix: loki.folder,
        replication_factor: 1,
        instance_addr: "127.0.0.1",
        ring: { kvstore: { store: "inmemory" } },
        storage: { filesystem: { chunks_directory: at("chunks"), rules_directory: at("rules") } },
      },
      schema_config: {
        configs: [
          {
            from: "2024-01-01",
            store: "tsdb",
            object_store: "filesystem",
            schema: "v13",
            index: { prefix: "index_", period: "24h" },
          },
        ],
      },
    });
    const args = (port: number) => {
      writeFileSync(at("loki.yaml"), stringify(config(port)));
      return [`-config.file=${at("loki.yaml")}`];
    };
    await loki.start(program, args, "/ready");
    const now = Date.now();
    const streams = Object.entries(written).map(([component, lines]) => ({
      stream: { component },
      values: lines.map((line, index) => [`${now + index}000000`, line]),
    }));
    const body = JSON.stringify({ streams });
    const headers = { "content-type": "application/json" };
    expect((await loki.get("/loki/api/v1/push", { method: "POST", headers, body })).status).toBe(204);
  }, 900_000);
  afterAll(() => loki.close());

  async function lines(expr: string): Promise<readonly string[]> {
    const response = await loki.get(`/loki/api/v1/query_range?${new URLSearchParams({ query: expr })}`);
    if (!response.ok) throw new Error(await response.text());
    const { data } = (await response.json()) as { data: { result: { values: [string, string][] }[] } };
    return data.result.flatMap(({ values }) => values.map(([, line]) => line)).sort();
  }
  const expected = {
    A: [
      '{"level":30,"event":{"kind":"AUTH_FAILED"},"msg":"security event"}',
      '{"level":40,"msg":"a warning"}',
      '{"level":50,"msg":"a fault"}',
    ],
    B: ["1: Warning: a file is old", "level=warn ts=1 msg=x", '{"level":"error","msg":"bad"}'],
  };

  it("finds the warnings, faults and security events of our services, and nothing else", async () => {
    const [[, ours = ""] = []] = queriesOf(DATASOURCES.logs);
    expect(await lines(expandExpr(ours, context()))).toEqual(expected.A);
  });

  it("finds the warnings and errors of the others, and nothing else", async () => {
    const [, [, others = ""] = []] = queriesOf(DATASOURCES.logs);
    expect(await lines(expandExpr(others, context()))).toEqual(expected.B.toSorted());
  });

  it("is refused where it is not LogQL", async () => {
    await expect(lines('{component=~".+"} | jsn')).rejects.toThrow(/parse error/);
  });
});
