import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Deployment } from "../../model/deployment.ts";
import { backend } from "../../modules/backend/component.ts";
import { EVERY_ADDRESS } from "../../modules/common.ts";
import { gateway } from "../../modules/gateway/component.ts";
import { loki } from "../../modules/loki/component.ts";
import { alertsYaml } from "../../modules/prometheus/alerts.ts";
import { prometheus } from "../../modules/prometheus/component.ts";
import { LOGS_SOCKET, SHIPPER, shipper } from "../../modules/shipper/component.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { ALERT_CASES } from "./observability/alert-cases.ts";
import { ContainerStack } from "./observability/stack.ts";

const deployment: Deployment = {
  ...defaultDeployment(),
  engine: "docker",
  tenant: "acme",
  gateways: ["gw-01"],
  images: { source: "packages", grafana: "absent" },
};
// On one network for all of them, without the addresses of a deployment.
const placement = { ...dockerPlacement(deployment), listenAddresses: (): [string] => [EVERY_ADDRESS] };
const parts = {
  loki: loki(deployment, placement),
  shipper: shipper(deployment, placement),
  prometheus: prometheus(deployment, placement),
  backend: backend(deployment, placement),
  gateway: gateway(deployment, placement, "gw-01"),
};
const stack = new ContainerStack(deployment.tenant);
const fluentd = (tag: string): readonly string[] => [
  "--log-driver=fluentd",
  `--log-opt=fluentd-address=unix://${stack.socket(SHIPPER, LOGS_SOCKET)}`,
  "--log-opt=fluentd-async=true",
  `--log-opt=tag=${tag}`,
];

beforeAll(async () => {
  const services = ["loki", "shipper", "prometheus", "backend", "gw-01", "grafana"];
  await stack.prepare(["loki", "shipper", "prometheus", "backend", "gateway"], services, ["gw-01"]);
  await stack.start(parts.shipper);
  await stack.start(parts.loki);
  await stack.start(parts.backend, fluentd("backend"));
  await stack.start(parts.gateway, fluentd("gw-01"));
  await stack.start(parts.prometheus);
  await until("Loki is ready", async () => (await lokiHealth()) === 0);
}, 900_000);
afterAll(() => stack.remove());

async function until<T>(what: string, probe: () => Promise<T | false | undefined>): Promise<T> {
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const found = await probe().catch(() => undefined);
    if (found !== false && found !== undefined) return found;
    await delay(500);
  }
  throw new Error(`not within 1 min: ${what}`);
}

async function lokiHealth(): Promise<number> {
  const { health } = parts.loki;
  if (health.kind !== "command") throw new Error("Loki has no health command");
  return (await stack.exec("loki", health.command)).code;
}

interface LokiStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [string, string])[];
}

async function lines(selector: string): Promise<readonly LokiStream[]> {
  const query = new URLSearchParams({ query: selector, since: "1h", limit: "1000" });
  const { status, body } = await stack.ask("loki", 3100, `/loki/api/v1/query_range?${query}`, { as: "svc-grafana" });
  expect(status).toBe(200);
  return JSON.parse(body).data.result;
}

const foundLine = (selector: string): Promise<LokiStream> =>
  until(selector, async () => (await lines(selector)).find(({ values }) => values.length > 0));

interface PrometheusSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

async function samples(query: string): Promise<readonly PrometheusSample[]> {
  const path = `/api/v1/query?${new URLSearchParams({ query })}`;
  const { status, body } = await stack.ask("prometheus", 9090, path, { as: "svc-grafana" });
  expect(status).toBe(200);
  return JSON.parse(body).data.result;
}

/** Local addresses, as the kernel writes them, of what listens in a component's network; state 0A is LISTEN. */
async function listening(component: string): Promise<readonly string[]> {
  const pid = await stack.inspect(component, "{{.State.Pid}}");
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === "0A")
      .map(([, local = ""]) => local)
      // Docker's own name server.
      .filter((local) => !local.startsWith("0B00007F:")),
  );
}

const isLoopback = (local: string): boolean => /^(0100007F|0{24}01000000|0{16}FFFF00000100007F):/.test(local);
const portOf = (local: string): number => Number.parseInt(local.split(":")[1] ?? "", 16);

describe("what nobody may reach without a certificate", () => {
  it.each([
    ["loki", 3100],
    ["prometheus", 9090],
    ["backend", 9464],
    ["gw-01", 9464],
  ])("lets %s speak with nobody who has none, or only TLS 1.2", async (component, port) => {
    await until(component, async () => (await stack.ask(component, port, "/", { as: "svc-prometheus" })).status > 0);
    await expect(stack.ask(component, port, "/ready")).rejects.toThrow();
    await expect(stack.ask(component, port, "/ready", { as: "svc-grafana", maxVersion: "TLSv1.2" })).rejects.toThrow();
  });

  it.each([
    ["loki", 3100],
    ["prometheus", 9090],
  ])("lets %s speak with no gateway, whose certificate is valid", async (component, port) => {
    await expect(stack.ask(component, port, "/ready", { as: "gw-01" })).rejects.toThrow();
  });

  it.each([
    ["loki", [3100]],
    ["prometheus", [9090]],
    ["shipper", []],
    ["backend", [8443, 9464]],
    ["gw-01", [9464]],
  ])("lets %s listen on its declared ports and nowhere else", async (component, ports) => {
    const open = (await listening(component)).filter((local) => !isLoopback(local));
    expect(open.map(portOf).sort()).toEqual([...ports].sort());
  });

  it("shows metrics to Prometheus and not to Grafana", async () => {
    expect(await stack.ask("backend", 9464, "/metrics", { as: "svc-prometheus" })).toMatchObject({ status: 200 });
    expect(await stack.ask("backend", 9464, "/metrics", { as: "svc-grafana" })).toMatchObject({ status: 403 });
    expect(await stack.ask("backend", 9464, "/metrics", { as: "gw-01" })).toMatchObject({ status: 403 });
  });
});

describe("logs", () => {
  it("come from a container to Loki, with the labels of its component and no others", async () => {
    const { stream, values } = await foundLine('{component="backend"} |= "started"');
    expect(stream).toMatchObject({
      component: "backend",
      deployment: deployment.name,
      tenant: "acme",
      source: "stdout",
    });
    expect(JSON.parse(values[0]?.[1] ?? "")).toMatchObject({ name: "backend", msg: "started" });
    const { body } = await stack.ask("loki", 3100, "/loki/api/v1/labels", { as: "svc-grafana" });
    expect(JSON.parse(body).data).toEqual(["component", "deployment", "tenant"]);
    for (const { name, witness = "" } of parts.loki.volumes)
      expect(existsSync(join(stack.folder, "volumes/loki", name, witness))).toBe(true);
  });

  it("keep apart what two components wrote", async () => {
    await foundLine('{component="gw-01"}');
    expect(await lines('{component="gw-01"} |= `"name":"backend"`')).toEqual([]);
  });

  it("wait on disk while Loki is away, and outlive a shipper that is killed", async () => {
    await stack.control("stop", "loki");
    await stack.control("stop", "backend");
    await stack.control("start", "backend");
    await until("the queue has it", async () =>
      readFileSync(join(stack.folder, "volumes/shipper/queue/exporter_otlp_http__logs")).includes("stopping"),
    );
    await stack.control("kill", "shipper");
    await stack.control("start", "shipper");
    await stack.control("start", "loki");
    await foundLine('{component="backend"} |= "stopping"');
    expect(await stack.inspect("shipper", "{{.State.Running}}")).toBe("true");
  });

  it("are nobody else's: Loki reports its use to nobody, and shows no key", async () => {
    const { body } = await stack.ask("loki", 3100, "/config", { as: "svc-grafana" });
    expect(body).toMatch(/^analytics:\n\s+reporting_enabled: false$/m);
    expect(body).not.toContain("PRIVATE KEY");
  });
});

describe("health", () => {
  it("is what Loki says of itself, and not what it would say without a server", async () => {
    await until("Loki is ready", async () => (await lokiHealth()) === 0);
    const wrong = ["/usr/bin/loki", "-health", "-health.url=http://127.0.0.1:3102/ready"];
    expect((await stack.exec("loki", wrong)).code).toBe(1);
  });

  it("needs an exception where the image has no program to ask with", () => {
    const grantsOf = (source: Deployment["images"]["source"]) =>
      prometheus({ ...deployment, images: { source, grafana: "absent" } }, placement).exceptions.flatMap(
        ({ grants = [] }) => grants,
      );
    expect(grantsOf("packages")).toEqual(["health:none"]);
    expect(grantsOf("registry")).toEqual([]);
  });
});

describe("metrics", () => {
  it("are read from every target that is there, each under its own name", async () => {
    const up = await until("three targets are up", async () => {
      const found = await samples("up == 1");
      return found.length === 3 && found;
    });
    expect(up.map(({ metric }) => metric.component).sort()).toEqual(["backend", "gw-01", "loki"]);
    expect(up.every(({ metric }) => metric.job === metric.component)).toBe(true);
    const down = await until("two targets are down", async () => {
      const found = await samples("up == 0");
      return found.length === 2 && found;
    });
    expect(down.map(({ metric }) => metric.component).sort()).toEqual(["broker", "collector"]);
  });

  it("say what a service says of itself", async () => {
    const [ready] = await samples('trustkern_ready{component="gw-01"}');
    expect(ready?.value[1]).toBe("0");
    const [broker] = await samples('trustkern_dependency_up{component="gw-01",dependency="broker"}');
    expect(broker?.value[1]).toBe("0");
    expect(await samples("trustkern_backend_devices")).toHaveLength(3);
    expect(await samples('trustkern_gateway_messages_rejected_total{verdict="replay"}')).toHaveLength(1);
    expect(await samples("trustkern_certificate_not_after_timestamp_seconds - time() > 0")).toHaveLength(2);
  });

  it("make an alert of what is missing", async () => {
    // One that was slow to start is down as well, until the rules are evaluated again.
    const pending = await until("two alerts", async () => {
      const found = await samples('ALERTS{alertname="TargetDown"}');
      return found.length === 2 && found;
    });
    expect(pending.map(({ metric }) => metric.component).sort()).toEqual(["broker", "collector"]);
  });
});

describe("what Prometheus is given", () => {
  const promtool = (files: Readonly<Record<string, string>>, ...args: readonly string[]) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(stack.folder, name), content);
    const mount = `type=bind,source=${stack.folder},target=/w,readonly`;
    const run = ["run", "--rm", "--network=none", "--workdir=/w", "--mount", mount, "--entrypoint=/bin/promtool"];
    return stack.docker([...run, stack.image("prometheus"), ...args]);
  };

  it("is accepted by its own checks", async () => {
    const accepted = { code: 0, stdout: expect.stringContaining("18 rules found") };
    expect(await promtool({ "alerts.yml": stringify(alertsYaml()) }, "check", "rules", "/w/alerts.yml")).toMatchObject(
      accepted,
    );
  });

  it("names each metric as Prometheus' conventions have it", async () => {
    const { body } = await stack.ask("gw-01", 9464, "/metrics", { as: "svc-prometheus" });
    const ours = body.split("\n").filter((line) => /^(# \w+ )?trustkern_/.test(line));
    const { code, stderr } = await stack.docker(
      [
        "run",
        "--rm",
        "--interactive",
        "--network=none",
        "--entrypoint=/bin/promtool",
        stack.image("prometheus"),
        "check",
        "metrics",
      ],
      { input: Buffer.from(`${ours.join("\n")}\n`) },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("has a case for each alert", () => {
    const names = (alertsYaml() as { groups: readonly { rules: readonly { alert: string }[] }[] }).groups.flatMap(
      ({ rules }) => rules.map(({ alert }) => alert),
    );
    for (const firing of [0, 1])
      expect(
        [...new Set(ALERT_CASES.filter((each) => each.firing === firing).map(({ alert }) => alert))].sort(),
      ).toEqual([...names].sort());
  });

  it("fires each alert for what it is for, and for nothing else", async () => {
    const tests = ALERT_CASES.map(({ alert, title, series, at, firing }) => ({
      name: `${alert}: ${title}`,
      interval: "1m",
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
          eval_time: `${at}m`,
          exp_samples: [{ labels: "{}", value: firing }],
        },
      ],
    }));
    const files = {
      "alerts.yml": stringify(alertsYaml()),
      "cases.yml": stringify({ rule_files: ["alerts.yml"], evaluation_interval: "1m", tests }),
    };
    const { code, stdout, stderr } = await promtool(files, "test", "rules", "/w/cases.yml");
    expect({ code, said: stdout + stderr }).toMatchObject({ code: 0 });
  });
});
