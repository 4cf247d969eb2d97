import { fork } from "node:child_process";
import { on } from "node:events";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { issueLeaves } from "../../certs/deployment.ts";
import { MANAGE_SOCKET } from "../../modules/custody/component.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { openDatabase } from "../../stacks/embedded/database.ts";
import { deployEmbedded, type EmbeddedDeployment } from "../../stacks/embedded/deploy.ts";
import { listGenerations } from "../../stacks/host/custody-management.ts";
import { cpuSeconds } from "./cpu.ts";
import type { FromPublisher, PublisherSetup } from "./publisher.ts";

/** Result of {@link measurePipeline}. */
export interface PipelineResult {
  readonly messages: number;
  /** From the first publish to the last receipt, which follows the commit. */
  readonly seconds: number;
  /** CPU-seconds of each process meanwhile, the load publisher included. */
  readonly cpu: Readonly<Record<string, number>>;
}

const GATEWAYS = ["gw-bench-1", "gw-bench-2", "gw-bench-3", "gw-bench-4"];
const SENSORS = 20;

/** Messages/s from MQTT in to committed row: a whole embedded deployment, and a publisher with four gateways' certificates. */
export async function measurePipeline(dir: string, root: string, messages: number): Promise<PipelineResult> {
  const clock = (): Date => new Date();
  const deployed = await deployEmbedded({
    deployment: defaultDeployment(),
    dir,
    temporaryDir: tmpdir(),
    projectRoot: root,
    execPath: process.execPath,
    clock,
    pid: process.pid,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  const database = openDatabase(deployed.placement);
  const publisher = fork(fileURLToPath(new URL("publisher.ts", import.meta.url)), { serialization: "advanced" });
  try {
    publisher.send(await setupOf(deployed, messages, clock));
    let before: Readonly<Record<string, number>> = {};
    for await (const [message] of on(publisher, "message") as AsyncIterable<[FromPublisher]>) {
      if (message.kind === "sensors") {
        for (const { id, publicKey } of message.sensors) await register(deployed, id, publicKey);
      } else if (message.kind === "prepared") {
        before = cpuOf(deployed, publisher.pid);
        publisher.send("go");
      } else {
        const after = cpuOf(deployed, publisher.pid);
        const [row] = await database.query<{ rows: string }>(
          "SELECT count(*) AS rows FROM telemetry WHERE gateway LIKE 'gw-bench-%'",
        );
        if (message.rejected > 0 || Number(row?.rows) !== messages)
          throw new Error(`${row?.rows} rows of ${messages} messages, ${message.rejected} rejected`);
        const cpu = Object.fromEntries(Object.entries(after).map(([name, used]) => [name, used - (before[name] ?? 0)]));
        return { messages, seconds: message.seconds, cpu };
      }
    }
    throw new Error("the publisher ended early");
  } finally {
    publisher.kill();
    await database.close();
    await deployed.stop();
  }
}

async function setupOf(deployed: EmbeddedDeployment, messages: number, clock: () => Date): Promise<PublisherSetup> {
  const { issuers, rootPem } = deployed.authorities;
  const { leaves } = await issueLeaves(issuers, { clock, services: [], gateways: GATEWAYS, operators: [] });
  const [active] = await listGenerations(deployed.placement.socket("custody", MANAGE_SOCKET));
  return {
    broker: deployed.placement.endpoint("broker", "mqtts"),
    ca: rootPem,
    gateways: leaves.map(({ name, certPem, keyPem }) => ({ name, certPem, keyPem })),
    recipient: active?.publicKey ?? new Uint8Array(),
    sensors: SENSORS,
    messages,
  };
}

async function register(deployed: EmbeddedDeployment, sensor_id: string, public_key: string): Promise<void> {
  await deployed.operator("POST", "/v1/devices", { sensor_id, public_key, maker: "bench", model: "bench" });
}

function cpuOf(deployed: EmbeddedDeployment, publisher: number | undefined): Record<string, number> {
  const services = deployed.model.components.map(({ name }) => [name, deployed.supervisor.pid(name)] as const);
  const all = [...services, ["publisher", publisher] as const];
  return Object.fromEntries(all.flatMap(([name, pid]) => (pid === undefined ? [] : [[name, cpuSeconds(pid)]])));
}
