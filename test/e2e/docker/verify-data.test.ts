import { generateKeyPairSync } from "node:crypto";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
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
  let results: readonly CheckResult[];
  const markers: Marker[] = [];

  beforeAll(async () => {
    const subject = await subjectOf(example);
    const image = await probeImage(docker, subject.images);
    const onSent = async ([marker]: readonly Marker[]): Promise<void> => {
      if (marker === undefined) throw new Error("nothing was marked");
      markers.push(marker);
      const { plaintext } = marker;
      writeFileSync(join(layout.volumesDir, "broker", "state", "kept"), Buffer.from(plaintext).toString("base64"));
      writeFileSync(join(layout.volumesDir, "gw-01", "state", "debug"), gzipSync(plaintext));
      mkdirSync(join(layout.volumesDir, "backend", "state", "audit"));
      writeFileSync(join(layout.volumesDir, "backend", "state", "audit", "x"), Buffer.from(plaintext).toString("hex"));
      appendFileSync(join(layout.terraformDir, "deploy.note"), plaintext);
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
  afterAll(() => {
    rmSync(join(layout.volumesDir, "broker", "state", "kept"), { force: true });
    rmSync(join(layout.volumesDir, "gw-01", "state", "debug"), { force: true });
    rmSync(join(layout.volumesDir, "backend", "state", "audit"), { force: true, recursive: true });
    rmSync(join(layout.terraformDir, "deploy.note"), { force: true });
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

  it("breaks nothing where it did not get to", () => {
    expect(outcomesOf(results)).toMatchObject({ "data.stored": "proven", "data.metrics": "proven" });
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
