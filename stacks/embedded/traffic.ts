import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "./database.ts";
import type { EmbeddedDeployment } from "./deploy.ts";
import { embeddedErrors } from "./errors.ts";
import { statusOf } from "./readiness.ts";

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

/** Reads the counters of gateways and collector. */
export async function readTraffic({ model, placement }: EmbeddedDeployment): Promise<Traffic> {
  const counters = async (name: string) =>
    (await statusOf(placement.socket(name, "control"))).counters as unknown as Counters;
  const gateways = model.components.filter(({ service }) => service === "gateway").map(({ name }) => name);
  const [collector, ...edges] = await Promise.all(["collector", ...gateways].map(counters));
  return {
    accepted: collector?.accepted ?? 0,
    rejected: { gateway: added(edges.map(({ rejected }) => rejected)), collector: collector?.rejected ?? {} },
    spooled: edges.reduce((sum, { spooled }) => sum + (spooled ?? 0), 0),
  };
}

interface Counters {
  readonly accepted: number;
  readonly rejected: VerdictCounts;
  readonly spooled?: number;
}

function added(counts: readonly VerdictCounts[]): VerdictCounts {
  const sum: Record<string, number> = {};
  for (const [verdict, n] of counts.flatMap((each) => Object.entries(each))) sum[verdict] = (sum[verdict] ?? 0) + n;
  return sum;
}

/**
 * Has the simulated sensors send `total` messages, and waits until every gateway has let go of the last one.
 * @throws SERVICE_NOT_READY when receipts stay away
 */
export async function sendAll(
  deployed: EmbeddedDeployment,
  ratePerSecond: number,
  total: number,
  now: () => number,
): Promise<void> {
  await deployed.control("simulator", "POST", "/run", { rate: ratePerSecond, total });
  const end = now() + DRAIN_MS + (1_000 * total) / ratePerSecond;
  while (now() < end) {
    await sleep(100);
    const { counters } = await statusOf(deployed.placement.socket("simulator", "control"));
    if (counters.remaining === 0 && (await readTraffic(deployed)).spooled === 0) return;
  }
  throw embeddedErrors.error("SERVICE_NOT_READY", `not all of ${total} messages had a receipt in time`, {
    path: "collector",
  });
}

/** Rows of telemetry, all of them. */
export async function countRows(database: Database): Promise<number> {
  const [row] = await database.query<{ rows: string }>("SELECT count(*) AS rows FROM telemetry");
  return Number(row?.rows ?? 0);
}
