import { setTimeout as sleep } from "node:timers/promises";
import { hostErrors } from "../host/errors.ts";
import { statusOf } from "../host/readiness.ts";
import type { Database } from "./database.ts";
import type { EmbeddedDeployment } from "./deploy.ts";

/** Verdicts to how often they were given. */
export type VerdictCounts = Readonly<Record<string, number>>;

/** What a deployment has done since its processes started. */
export interface Traffic {
  /** Messages that became rows. */
  readonly accepted: number;
  readonly rejected: { readonly gateway: VerdictCounts; readonly collector: VerdictCounts };
  /** Messages that the gateways hold without a receipt. */
  readonly spooled: number;
}

/** Longest wait for the last receipt of a fixed number of messages, in milliseconds, beside the time that sending takes. */
const DRAIN_MS = 60_000;

/** Adds up the counters of gateways and collector over the lives of their processes. */
export interface TrafficMeter {
  /** @throws CONTROL_UNREACHABLE while one of them is away */
  readonly read: () => Promise<Traffic>;
}

interface Counters {
  readonly accepted: number;
  readonly rejected: VerdictCounts;
  readonly spooled?: number;
}

interface Lives {
  readonly pid: number;
  /** Of the processes before this one. */
  readonly before: Counters;
  readonly last: Counters;
}

const NOTHING: Counters = { accepted: 0, rejected: {} };

/** A meter at zero. What a process counted between the last reading and its death is not seen. */
export function createTrafficMeter({
  model,
  placement,
}: Pick<EmbeddedDeployment, "model" | "placement">): TrafficMeter {
  const gateways = model.components.filter(({ service }) => service === "gateway").map(({ name }) => name);
  const lives = new Map<string, Lives>();

  async function readOne(name: string): Promise<Counters> {
    const { pid, counters } = await statusOf(placement.socket(name, "control"));
    const known = lives.get(name);
    const before = known === undefined ? NOTHING : known.pid === pid ? known.before : add(known.before, known.last);
    const last = counters as unknown as Counters;
    lives.set(name, { pid, before, last });
    return { ...add(before, last), spooled: last.spooled ?? 0 };
  }

  return {
    async read() {
      const [collector = NOTHING, ...edges] = await Promise.all(["collector", ...gateways].map(readOne));
      return {
        accepted: collector.accepted,
        rejected: { gateway: edges.reduce(add, NOTHING).rejected, collector: collector.rejected },
        spooled: edges.reduce((sum, { spooled = 0 }) => sum + spooled, 0),
      };
    },
  };
}

function add(a: Counters, b: Counters): Counters {
  const verdicts = new Set([...Object.keys(a.rejected), ...Object.keys(b.rejected)]);
  const sum = (verdict: string): number => (a.rejected[verdict] ?? 0) + (b.rejected[verdict] ?? 0);
  return {
    accepted: a.accepted + b.accepted,
    rejected: Object.fromEntries([...verdicts].map((each) => [each, sum(each)])),
  };
}

/**
 * Has the simulated sensors send `total` messages, and waits until every gateway has let go of the last one.
 * @throws SERVICE_NOT_READY when receipts stay away
 */
export async function sendAll(
  deployed: EmbeddedDeployment,
  meter: TrafficMeter,
  ratePerSecond: number,
  total: number,
  now: () => number,
): Promise<void> {
  await deployed.control("simulator", "POST", "/run", { rate: ratePerSecond, total });
  const end = now() + DRAIN_MS + (1_000 * total) / ratePerSecond;
  while (now() < end) {
    await sleep(100);
    const { counters } = await statusOf(deployed.placement.socket("simulator", "control"));
    if (counters.remaining === 0 && (await meter.read()).spooled === 0) return;
  }
  throw hostErrors.error("SERVICE_NOT_READY", `not all of ${total} messages had a receipt in time`, {
    path: "collector",
  });
}

/** Rows of telemetry, all of them. */
export async function countRows(database: Database): Promise<number> {
  const [row] = await database.query<{ rows: string }>("SELECT count(*) AS rows FROM telemetry");
  return Number(row?.rows ?? 0);
}
