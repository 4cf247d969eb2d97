import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratch } from "../../support/deployment.ts";
import { ask, docker, openDatabase, singleHost, succeed } from "../../support/docker.ts";
import { compareLedger } from "../../support/ledger.ts";
import { holdFirewall } from "./firewall.ts";
import { holdIsolation } from "./isolation.ts";

const { dir, remove } = scratch("single-host");
const example = singleHost(dir);
let database: Awaited<ReturnType<typeof openDatabase>>;

beforeAll(async () => {
  await succeed(example, ["images", "lock"]);
  await succeed(example, ["deploy", "--wait"]);
  database = await openDatabase(example);
}, 400_000);
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  remove();
}, 200_000);

/** Asks until the answer satisfies, for at most 60 s. */
async function eventually<T>(what: string, look: () => Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
  let last: unknown;
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(500)) {
    try {
      const answer = await look();
      if (satisfies(answer)) return answer;
      last = answer;
    } catch (thrown) {
      last = thrown;
    }
  }
  throw new Error(`${what}: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}

describe("the example with profile dev", () => {
  it("carries the simulated sensors' messages into the database, each acknowledged one exactly once", async () => {
    const rows = () =>
      database.query<{ rows: string; sensors: string }>(
        "SELECT count(*) AS rows, count(DISTINCT sensor_id) AS sensors FROM telemetry",
      );
    const [counted] = await eventually("rows", rows, ([row]) => Number(row?.rows) >= 30);
    expect(Number(counted?.sensors)).toBe(3);
    await example.control("simulator", "POST", "/stop");
    await eventually(
      "the spool",
      () => example.control("gw-01", "GET", "/status") as Promise<{ counters: { spooled: number } }>,
      ({ counters }) => counters.spooled === 0,
    );
    const { acknowledged, wrong, quarantined } = await compareLedger({
      deployed: { control: example.control },
      database,
    });
    expect(acknowledged.length).toBeGreaterThanOrEqual(30);
    expect(wrong).toEqual([]);
    expect(quarantined).toEqual([]);
  });

  it("has Prometheus count what the collector accepted", async () => {
    const query = "trustkern_collector_messages_accepted_total";
    const answer = await eventually(
      "Prometheus",
      () => ask(example, "prometheus", 9090, "prometheus", `/api/v1/query?query=${query}`) as Promise<Answer>,
      ({ data }) => Number(data.result[0]?.value?.[1]) > 0,
    );
    expect(answer.data.result[0]?.metric.job).toBe("collector");
  });

  it.each(["collector", "backend", "broker", "gw-01", "custody", "database", "prometheus"])(
    "has Loki answer with the log lines of %s",
    async (component) => {
      const query = encodeURIComponent(`{component="${component}"}`);
      const start = `${Date.now() - 3_600_000}000000`;
      const path = `/loki/api/v1/query_range?query=${query}&start=${start}&limit=5`;
      const answer = await eventually(
        "Loki",
        () => ask(example, "loki", 3100, "prometheus", path) as Promise<Streams>,
        ({ data }) => data.result.length > 0,
      );
      expect(answer.data.result[0]?.stream).toMatchObject({ component, tenant: example.tenant });
      expect(answer.data.result[0]?.values[0]?.[1]).toMatch(/\S/);
    },
  );

  it("says in status that all is well, and that Grafana is left out", async () => {
    const { code, stdout } = await example.cli(["status", "--json"]);
    const report = JSON.parse(stdout);
    expect(
      report.components.filter((one: { condition: string }) => !["healthy", "done"].includes(one.condition)),
    ).toEqual([]);
    expect(report.components.flatMap((one: { drift: string[] }) => one.drift)).toEqual([]);
    expect(report.absent).toEqual(["grafana"]);
    expect(code).toBe(0);
  });

  holdIsolation(example);
  holdFirewall(example);

  it("has nothing to plan and nothing to deploy right after a deploy", async () => {
    const plan = await example.cli(["plan", "--detailed-exitcode", "--json"]);
    expect(JSON.parse(plan.stdout)).toMatchObject({ changes: [], drift: [] });
    expect(plan.code).toBe(0);
    const again = await succeed(example, ["deploy", "--wait", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: 0, healthy: true });
  });

  it("shows a stopped container in plan and status, and a second deploy starts it again", async () => {
    await docker(["stop", "gw-01"]);
    const plan = await example.cli(["plan", "--detailed-exitcode", "--json"]);
    expect(JSON.parse(plan.stdout).changes).toMatchObject([{ kind: "component", name: "gw-01" }]);
    expect(plan.code).toBe(7);
    const status = await example.cli(["status", "--json"]);
    expect(JSON.parse(status.stdout).components).toContainEqual(
      expect.objectContaining({ name: "gw-01", condition: "stopped" }),
    );
    expect(status.code).toBe(1);
    await succeed(example, ["deploy", "--wait"]);
    expect((await example.cli(["status"])).code).toBe(0);
  });

  it("shows a limit that was changed by hand, and puts it back", async () => {
    await docker(["update", "--memory", "200m", "--memory-swap", "200m", "gateways-ca"]);
    const plan = await example.cli(["plan", "--json"]);
    expect(JSON.parse(plan.stdout).drift).toMatchObject([{ kind: "component", name: "gateways-ca" }]);
    const status = await example.cli(["status"]);
    expect(status.stdout).toContain("! gateways-ca: memory limit in MiB: 200 instead of");
    expect(status.code).toBe(1);
    await succeed(example, ["deploy", "--wait"]);
    expect((await example.cli(["status"])).code).toBe(0);
  });

  it("shows a port that was changed by hand, and goes on once that container is gone", async () => {
    const image = (await docker(["inspect", "-f", "{{.Image}}", "gateways-ca"])).stdout.trim();
    await docker(["rm", "--force", "gateways-ca"]);
    await docker(["create", "--name", "gateways-ca", "--publish", "127.0.0.1:9011:9000", image]);
    const plan = await example.cli(["plan", "--detailed-exitcode", "--json"]);
    expect(JSON.parse(plan.stdout).drift).toMatchObject([{ kind: "component", name: "gateways-ca", action: "delete" }]);
    expect(plan.code).toBe(7);
    const status = await example.cli(["status"]);
    expect(status.stdout).toContain(
      "! gateways-ca: published ports: 127.0.0.1:9011 to 9000/tcp instead of 127.0.0.1:9000 to",
    );
    const refused = await example.cli(["deploy", "--json"]);
    expect(JSON.parse(refused.stdout).error.code).toBe("NAME_TAKEN");
    await docker(["rm", "--force", "gateways-ca"]);
    await succeed(example, ["deploy", "--wait"]);
    expect((await example.cli(["status"])).code).toBe(0);
  });

  it("renews certificates that are gone, and starts again only what cannot take them while it runs", async () => {
    const startedAt = async (name: string) =>
      (await docker(["inspect", "-f", "{{.State.StartedAt}}", name])).stdout.trim();
    const inForce = async () => {
      const { tls } = (await example.control("collector", "GET", "/status")) as { tls: { certificate: string } };
      return tls.certificate;
    };
    const [collector, loki] = [await startedAt("collector"), await startedAt("loki")];
    const old = await inForce();
    for (const name of ["collector", "loki"]) rmSync(join(example.dir, "secrets", name, "tls.crt"));
    await succeed(example, ["deploy", "--wait"]);
    await eventually("the collector takes its certificate", inForce, (certificate) => certificate !== old);
    expect(await startedAt("collector")).toBe(collector);
    expect(await startedAt("loki")).not.toBe(loki);
  });

  it("destroys containers and networks, keeps what was stored, and goes on with it", async () => {
    const [before] = await database.query<{ rows: string }>("SELECT count(*) AS rows FROM telemetry");
    await database.close();
    await succeed(example, ["destroy", "--yes"]);
    const left = async (kind: "container" | "network"): Promise<string> => {
      const all = kind === "container" ? ["-a"] : [];
      return (await docker([kind, "ls", ...all, "-q", "--filter", "label=trustkern.deployment=single-host"])).stdout;
    };
    expect(await left("container")).toBe("");
    expect(await left("network")).toBe("");
    await succeed(example, ["deploy", "--wait"]);
    database = await openDatabase(example);
    const [after] = await database.query<{ rows: string }>("SELECT count(*) AS rows FROM telemetry");
    expect(Number(after?.rows)).toBeGreaterThanOrEqual(Number(before?.rows));
  });

  it("destroys what was stored too, keys and secrets included, where that is asked for", async () => {
    await database.close();
    await succeed(example, ["destroy", "--volumes", "--yes"]);
    expect(readdirSync(example.dir)).toEqual([]);
    expect((await example.cli(["status"])).code).toBe(6);
  });
});

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly metric: { readonly job: string };
      readonly value?: readonly [number, string];
    }[];
  };
}

interface Streams {
  readonly data: {
    readonly result: readonly { readonly stream: object; readonly values: readonly (readonly [string, string])[] }[];
  };
}
