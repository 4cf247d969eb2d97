import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checksOf } from "../../../operations/verify/checks.ts";
import { verifyData } from "../../../operations/verify/data/index.ts";
import type { Marker } from "../../../operations/verify/data/message/marker.ts";
import { VERIFICATION_MAKER } from "../../../operations/verify/data/message/sensor.ts";
import { probeImage } from "../../../operations/verify/probe/probe-image.ts";
import { runProbe } from "../../../operations/verify/probe/run-probe.ts";
import type { CheckResult } from "../../../operations/verify/result.ts";
import { dockerSite } from "../../../stacks/docker/life/certs-site.ts";
import { layoutOf } from "../../../stacks/host/layout.ts";
import { scratch } from "../../support/deployment.ts";
import { docker, openDatabase, singleHost, succeed } from "../../support/docker.ts";
import { subjectOf } from "../../support/subject.ts";

const { dir, remove } = scratch("verify-data");
const example = singleHost(dir);
const layout = layoutOf(example.dir, "/tmp");

beforeAll(async () => {
  await succeed(example, ["images", "lock"]);
  await succeed(example, ["deploy", "--wait"]);
}, 400_000);
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  remove();
}, 200_000);

const outcomesOf = (results: readonly CheckResult[]) =>
  Object.fromEntries(results.map(({ id, outcome, seen }) => [id, outcome === "not-proven" ? seen : outcome]));
const allBut = (outcomes: Readonly<Record<string, string>>) =>
  Object.fromEntries(checksOf("data").map((id) => [id, outcomes[id] ?? "proven"]));

/** The states of all verification sensors that the backend has on record. */
async function states(): Promise<readonly string[]> {
  const operator = await (await dockerSite(await subjectOf(example), "a test")).operator();
  const devices = (await operator("GET", "/v1/devices")) as readonly { maker: string; state: string }[];
  return devices.filter(({ maker }) => maker === VERIFICATION_MAKER).map(({ state }) => state);
}

it("proves a deployment as it is, and leaves a revoked sensor and one row for its gateway", async () => {
  const results = await verifyData(await subjectOf(example));
  expect(results.map(({ id }) => id)).toEqual(checksOf("data"));
  expect(outcomesOf(results)).toEqual(allBut({}));
  expect(results.flatMap(({ findings }) => findings)).toEqual([]);
  expect(results[0]?.seen).toContain("volume data of database");
  expect(await states()).toEqual(["revoked"]);
  const database = await openDatabase(example);
  const [row] = await database.query<{ rows: string; devices: string }>(
    `SELECT (SELECT count(*) FROM telemetry WHERE payload ? 'verification') AS rows,
            (SELECT count(*) FROM device WHERE maker = 'verification') AS devices`,
  );
  await database.close();
  expect(row).toEqual({ rows: "1", devices: "1" });
}, 180_000);

describe("a plaintext that leaks", () => {
  const SIDECAR = "verify-data-sidecar";
  const ALIASES = "verify-data-aliases";
  const FILES = {
    broker: join(layout.volumesDir, "broker", "state", "kept"),
    gateway: join(layout.volumesDir, "gw-01", "state", "debug"),
    audit: join(layout.volumesDir, "backend", "state", "audit"),
    chunk: join(layout.volumesDir, "prometheus", "data", "leaked-chunk"),
    note: join(layout.terraformDir, "deploy.note"),
    top: join(layout.dir, "note.txt"),
    log: join(layout.logsDir, "leak.log"),
  } as const;
  const inMemory: string[] = [];
  let results: readonly CheckResult[];
  const markers: Marker[] = [];

  beforeAll(async () => {
    const subject = await subjectOf(example);
    const image = await probeImage(docker, subject.images);
    const onSent = async ([marker]: readonly Marker[]): Promise<void> => {
      if (marker === undefined) throw new Error("nothing was marked");
      markers.push(marker);
      const { plaintext } = marker;
      const token = String(marker.payload.verification);
      writeFileSync(FILES.broker, Buffer.from(plaintext).toString("base64"));
      writeFileSync(FILES.gateway, gzipSync(plaintext));
      mkdirSync(FILES.audit);
      writeFileSync(join(FILES.audit, "x"), Buffer.from(plaintext).toString("hex"));
      writeFileSync(FILES.note, plaintext);
      // Twice encoded, as a tool does that ships what another tool wrote.
      writeFileSync(FILES.top, Buffer.from(Buffer.from(plaintext).toString("base64")).toString("base64"));
      mkdirSync(layout.logsDir, { recursive: true });
      writeFileSync(FILES.log, JSON.stringify([...Buffer.from(plaintext)], null, 1));
      // As the first sample of a series lies in a chunk of Prometheus.
      const sample = Buffer.alloc(40);
      sample.writeDoubleBE(Number(marker.payload.temperature_c), 13);
      writeFileSync(FILES.chunk, sample);
      for (const name of ["loki", "gw-01", "broker"]) {
        const { stdout } = await docker(["container", "inspect", "--format", "{{.State.Pid}}", name]);
        inMemory.push(`/proc/${stdout.trim()}/root/dev/shm/leak`);
      }
      for (const file of inMemory) writeFileSync(file, plaintext);
      await docker(["network", "create", "--internal", ALIASES]);
      await docker(["network", "connect", "--alias", token, ALIASES, "loki"]);
      // A line of the gateway's own log, by the way of the gateway's lines.
      const shipped = ["--log-driver", "fluentd", "--log-opt", `fluentd-address=unix://${logsSocket()}`];
      await docker([
        "run",
        "--rm",
        "--name",
        SIDECAR,
        ...shipped,
        "--log-opt",
        "tag=gw-01",
        ...printing(image, plaintext),
      ]);
      // From beside the gateway to Loki's host, in the clear.
      const send = `require("dgram").createSocket("udp4").send(process.argv[1], 5140, "127.0.0.1", () => process.exit())`;
      const beside = { container: "gw-01", program: "/usr/bin/node", timeoutMs: 20_000 };
      await runProbe(docker, image, { ...beside, args: ["-e", send, plaintext] });
    };
    results = await verifyData({ ...subject, onSent });
  }, 240_000);
  afterAll(async () => {
    for (const file of [...Object.values(FILES), ...inMemory]) rmSync(file, { force: true, recursive: true });
    await docker(["network", "disconnect", ALIASES, "loki"]);
    await docker(["network", "rm", ALIASES]);
  });

  const logsSocket = (): string => join(layout.runDir, "shipper.logs", "sock");
  const printing = (image: string, text: string) => [
    "--network",
    "none",
    "--entrypoint",
    "/usr/bin/node",
    image,
    "-p",
    JSON.stringify(text),
  ];

  it.each([
    ["data.broker", "volumes/broker/state/kept"],
    ["data.gateway", "volumes/gw-01/state/debug"],
    ["data.operations", "volumes/backend/state/audit/x"],
    ["data.logs", "Loki"],
    ["data.traffic", "traffic of gw-01"],
    ["data.engine", "terraform/deploy.note"],
    ["data.broker", "broker:/dev/shm/leak"],
    ["data.gateway", "gw-01:/dev/shm/leak"],
    ["data.operations", "loki:/dev/shm/leak"],
    ["data.logs", "logs/leak.log"],
    ["data.metrics", "volumes/prometheus/data/leaked-chunk"],
    ["data.engine", "note.txt"],
    ["data.engine", "docker container inspect loki"],
  ])("breaks %s, which names %s", (id, place) => {
    const result = results.find((each) => each.id === id);
    expect(result?.outcome).toBe("broken");
    expect(result?.findings).toContainEqual(expect.objectContaining({ code: "DATA_PLAINTEXT_OUTSIDE", path: place }));
  });

  it("is named nowhere by its value", () => {
    const said = JSON.stringify(results);
    expect(markers).toHaveLength(1);
    expect(said).not.toContain(markers[0]?.payload.verification);
    expect(said).not.toContain(String(markers[0]?.payload.pressure_hpa));
  });

  it("leaves the row what it is", () => {
    expect(outcomesOf(results)).toMatchObject({ "data.stored": "proven" });
  });
});

it("proves nothing of a message that did not get through, names what is away, and takes back what a killed run left", async () => {
  await docker(["stop", "gw-01"]);
  const subject = await subjectOf(example);
  const sensor = {
    sensor_id: "0123456789abcdef01",
    public_key: freshPoint(),
    maker: "verification",
    model: "left",
  };
  const operator = await (await dockerSite(subject, "a test")).operator();
  await operator("POST", "/v1/devices", sensor);
  const results = await verifyData(subject);
  expect(results.filter(({ outcome }) => outcome !== "not-proven").map(({ id }) => id)).toEqual([]);
  expect(results[0]?.seen).toContain("gw-01");
  expect(new Set(await states())).toEqual(new Set(["revoked"]));
  await docker(["start", "gw-01"]);
}, 240_000);

function freshPoint(): string {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return publicKey.export({ format: "raw-public" }).toString("hex");
}
