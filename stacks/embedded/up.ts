import { setTimeout as sleep } from "node:timers/promises";
import { parseVectors, type VectorsFile } from "../../protocol/vectors-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { orCancelled } from "../host/cancel.ts";
import { type Database, openDatabase } from "./database.ts";
import { deployEmbedded, type EmbeddedDeployment, type EmbeddedOptions } from "./deploy.ts";
import { embeddedErrors } from "./errors.ts";
import { proveSteps, type StepResult } from "./proof/index.ts";
import type { ProofContext, Sensor } from "./proof/step.ts";
import { countRows, createTrafficMeter, sendAll, type TrafficMeter, type VerdictCounts } from "./traffic.ts";

/** What `up --once --json` prints. */
export interface UpReport {
  readonly schema: "trustkern.up/1";
  readonly steps: readonly StepResult[];
  /** Messages that became rows in this run. */
  readonly accepted: number;
  readonly rejected: { readonly gateway: VerdictCounts; readonly collector: VerdictCounts };
  /** Rows of telemetry, those of earlier runs included. */
  readonly rows: number;
}

/** How to bring the deployment up. */
export interface UpOptions extends Omit<EmbeddedOptions, "fixture"> {
  /** A vectors file: its allowlist is registered, and custody imports its recipient key. Dev only. */
  readonly fixture?: { readonly file: string; readonly text: string } | undefined;
  readonly onStep: (step: StepResult) => void;
}

/** A deployment that is up and proven or not. */
export interface Up {
  readonly deployed: EmbeddedDeployment;
  readonly database: Database;
  readonly meter: TrafficMeter;
  readonly steps: readonly StepResult[];
  readonly sensors: readonly Sensor[];
  /** Messages per second over all simulated sensors. */
  readonly ratePerSecond: number;
  /** The vectors file of `--fixture`, and the sensor of its allowlist. */
  readonly fixture: { readonly file: string; readonly sensor: string } | undefined;
  readonly stop: () => Promise<void>;
}

/** Deploys, and walks through the nine steps. */
export async function up(options: UpOptions): Promise<Up> {
  const vectors = options.fixture === undefined ? undefined : readFixture(options.fixture);
  const deployed = await deployEmbedded({ ...options, fixture: vectors?.text });
  const database = openDatabase(deployed.placement);
  const meter = createTrafficMeter(deployed);
  const stop = async (): Promise<void> => {
    await drain(deployed, meter).catch(() => undefined);
    await database.close();
    await deployed.stop();
  };
  try {
    for (const device of vectors?.allowlist ?? []) {
      await deployed.operator("POST", "/v1/devices", { ...device, maker: "fixture", model: "vectors" });
    }
    const { sensors: sensorCount, ratePerSecond } = options.deployment.simulator;
    const context: ProofContext = { deployed, database, sensorCount, sensors: [], radios: new Map(), sent: undefined };
    const steps: StepResult[] = [];
    for await (const step of proveSteps(context, () => options.clock().getTime(), options.signal)) {
      steps.push(step);
      options.onStep(step);
    }
    return {
      deployed,
      database,
      meter: createTrafficMeter(deployed),
      steps,
      sensors: context.sensors,
      ratePerSecond,
      fixture: vectors,
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Longest wait for the last receipts at an orderly stop, in milliseconds; what has none by then is sent again next time. */
const DRAIN_MS = 2_000;

/** Lets the sensors rest and the last messages arrive, so that the next run does not begin with repeats. */
async function drain({ control }: EmbeddedDeployment, meter: TrafficMeter): Promise<void> {
  await control("simulator", "POST", "/stop");
  for (let waited = 0; waited < DRAIN_MS && (await meter.read()).spooled > 0; waited += 50) await sleep(50);
}

/** Sends `total` messages, waits for their receipts, and reports. */
export async function once(run: Up, total: number, now: () => number, signal: AbortSignal): Promise<UpReport> {
  await orCancelled(sendAll(run.deployed, run.meter, run.ratePerSecond, total, now), signal);
  const { accepted, rejected } = await run.meter.read();
  return { schema: "trustkern.up/1", steps: run.steps, accepted, rejected, rows: await countRows(run.database) };
}

interface Fixture {
  readonly file: string;
  readonly text: string;
  readonly sensor: string;
  readonly allowlist: VectorsFile["allowlist"];
}

function readFixture({ file, text }: { readonly file: string; readonly text: string }): Fixture {
  try {
    const { allowlist } = parseVectors(text);
    return { file, text, allowlist, sensor: allowlist[0]?.sensor_id ?? "" };
  } catch (cause) {
    throw embeddedErrors.error("FIXTURE_INVALID", `"${file}" is not a vectors file: ${messageOf(cause)}`, {
      path: "--fixture",
    });
  }
}
