import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type DeploymentCertificates, issueDeploymentCertificates } from "../../../certs/deployment.ts";
import type { SecurityEventInput } from "../security-events.ts";
import { readTls } from "../tls.ts";
import { counter, dependencyMetric, gauge, type Metric } from "./metric.ts";
import { type RunningMetrics, startMetrics } from "./start.ts";

const SERVERNAME = "collector.acme.trustkern.internal";
const folder = mkdtempSync(join(tmpdir(), "tk-m-"));
const tls = { caFile: join(folder, "ca"), certFile: join(folder, "crt"), keyFile: join(folder, "key") };
const counts: { seen: number; rejected: Record<string, number>; age: number | null } = {
  seen: 0,
  rejected: {},
  age: null,
};
const METRICS: readonly Metric[] = [
  counter("probe_seen_total", "Seen.", () => counts.seen),
  gauge("probe_age_seconds", "Age.", () => counts.age),
  dependencyMetric(() => ({ broker: true, custody: false })),
  {
    name: "probe_rejected_total",
    help: "Rejected.",
    type: "counter",
    label: { name: "verdict", values: ["replay", "malformed"] },
    read: () => counts.rejected,
  },
  {
    name: "probe_life_ratio",
    help: "Life.",
    type: "gauge",
    labels: ["subject", "state"],
    read: () => series,
  },
];
const series: [{ subject: string; state: string }, number][] = [];
let pki: DeploymentCertificates;
let strangers: DeploymentCertificates;
let running: RunningMetrics;
let broken: Error | undefined;
let events: SecurityEventInput[];
let ready = true;

beforeAll(async () => {
  const services = [
    { name: "svc-collector", dnsNames: [SERVERNAME], ipAddresses: [] },
    { name: "svc-prometheus", dnsNames: [], ipAddresses: [] },
    { name: "svc-grafana", dnsNames: [], ipAddresses: [] },
  ];
  const asked = { tenant: "acme", clock: () => new Date(), services, gateways: ["gw-01"], operators: ["op-admin"] };
  [pki, strangers] = await Promise.all([issueDeploymentCertificates(asked), issueDeploymentCertificates(asked)]);
  const own = leaf(pki, "svc-collector");
  writeFileSync(tls.caFile, pki.root.certPem);
  writeFileSync(tls.certFile, own.cert);
  writeFileSync(tls.keyFile, own.key, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  events = [];
  broken = undefined;
  const failing = gauge("probe_failing", "Fails when told to.", () => {
    if (broken) throw broken;
    return null;
  });
  running = await startMetrics({
    config: { listen: { hosts: ["127.0.0.1"], port: 0 }, clients: ["svc-prometheus"] },
    tls: readTls(tls),
    ready: () => ready,
    metrics: [...METRICS, failing],
    events: { emit: (event) => events.push(event) },
    log: { error: () => undefined },
  });
});
afterEach(() => running.close());

function leaf(from: DeploymentCertificates, name: string): { readonly cert: string; readonly key: string } {
  const { certPem, keyPem } = from.leaves.find((each) => each.name === name)!;
  return { cert: certPem, key: keyPem };
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly maxVersion?: "TLSv1.2";
  readonly cert?: string;
  readonly key?: string;
}

function ask({ path = "/metrics", method = "GET", ...client }: Asked): Promise<{ status: number; body: string }> {
  const certificate = "cert" in client ? {} : leaf(pki, "svc-prometheus");
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: running.port, servername: SERVERNAME, ca: pki.root.certPem };
    request({ ...options, agent: false, path, method, ...certificate, ...client })
      .on("error", reject)
      .on("response", (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      })
      .end();
  });
}

const lines = async (): Promise<readonly string[]> => (await ask({})).body.split("\n");

describe("who may read", () => {
  it("answers the client that it names", async () => {
    expect(await ask({})).toMatchObject({ status: 200 });
    expect(events).toEqual([]);
  });

  it.each(["svc-grafana", "svc-collector", "gw-01", "op-admin"])("refuses %s, and says so", async (name) => {
    const { status, body } = await ask(leaf(pki, name));
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({ error: { code: "METRICS_CLIENT_REFUSED" } });
    expect(body).not.toContain("trustkern_");
    expect(events).toMatchObject([{ kind: "AUTH_FAILED", actor: name, object: "metrics" }]);
  });

  it.each([
    ["no certificate", () => ({ cert: "", key: "" })],
    ["the right name from another root", () => leaf(strangers, "svc-prometheus")],
    ["TLS 1.2", () => ({ ...leaf(pki, "svc-prometheus"), maxVersion: "TLSv1.2" as const })],
  ])("lets nobody past the handshake with %s", async (_, client) => {
    await expect(ask(client())).rejects.toThrow();
    expect(events).toMatchObject([{ kind: "AUTH_FAILED", actor: "unknown", object: "tls" }]);
  });

  it.each([
    ["GET", "/"],
    ["GET", "/metrics/"],
    ["GET", "/metrics?name=up"],
    ["GET", "/status"],
    ["POST", "/metrics"],
    ["DELETE", "/metrics"],
  ])("has no %s %s", async (method, path) => {
    const { status, body } = await ask({ method, path });
    expect(status).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ error: { code: "HTTP_NO_ROUTE" } });
  });

  it("tells nobody why it could not read a metric", async () => {
    broken = new Error("secret detail");
    const { status, body } = await ask({});
    expect(status).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ error: { code: "SERVICE_INTERNAL" } });
    expect(body).not.toContain("secret");
  });
});

describe("what is read", () => {
  it("has readiness, the end of the certificate, the version and the process", async () => {
    ready = true;
    const read = await lines();
    expect(read).toContain("trustkern_ready 1");
    expect(read.some((line) => /^trustkern_build_info\{version="\d+\.\d+\.\d+"\} 1$/.test(line))).toBe(true);
    expect(read.some((line) => line.startsWith("process_resident_memory_bytes "))).toBe(true);
    const end = Number(read.find((line) => line.startsWith("trustkern_certificate_not_after"))?.split(" ")[1]);
    expect(end).toBeGreaterThan(Date.now() / 1000);
    const begin = Number(read.find((line) => line.startsWith("trustkern_certificate_not_before"))?.split(" ")[1]);
    expect(begin).toBeLessThan(end);
    ready = false;
    expect(await lines()).toContain("trustkern_ready 0");
  });

  it("shows each number as it is at the scrape, and never adds scrapes up", async () => {
    counts.seen = 5;
    expect(await lines()).toContain("trustkern_probe_seen_total 5");
    expect(await lines()).toContain("trustkern_probe_seen_total 5");
    counts.seen = 7;
    expect(await lines()).toContain("trustkern_probe_seen_total 7");
  });

  it("shows what was never counted as 0, and what it does not know not at all", async () => {
    counts.rejected = { replay: 2, "bad-signature": 1 };
    counts.age = null;
    const read = await lines();
    expect(read.filter((line) => line.startsWith("trustkern_probe_"))).toEqual([
      expect.stringContaining("trustkern_probe_seen_total"),
      'trustkern_probe_rejected_total{verdict="replay"} 2',
      'trustkern_probe_rejected_total{verdict="malformed"} 0',
      'trustkern_probe_rejected_total{verdict="bad-signature"} 1',
    ]);
    counts.age = 1.5;
    expect(await lines()).toContain("trustkern_probe_age_seconds 1.5");
  });

  it("shows each series with all of its labels, and forgets one that is gone", async () => {
    const shown = async () => (await lines()).filter((line) => line.startsWith("trustkern_probe_life_ratio"));
    series.push([{ subject: 'CN="x"', state: "ok" }, 0.5], [{ subject: "CN=y", state: "due" }, 0.25]);
    expect(await shown()).toEqual([
      'trustkern_probe_life_ratio{subject="CN=\\"x\\"",state="ok"} 0.5',
      'trustkern_probe_life_ratio{subject="CN=y",state="due"} 0.25',
    ]);
    series.shift();
    expect(await shown()).toEqual(['trustkern_probe_life_ratio{subject="CN=y",state="due"} 0.25']);
    series.length = 0;
    expect(await shown()).toEqual([]);
  });

  it("says of each dependency whether it answers", async () => {
    const read = await lines();
    expect(read).toContain('trustkern_dependency_up{dependency="broker"} 1');
    expect(read).toContain('trustkern_dependency_up{dependency="custody"} 0');
  });
});
