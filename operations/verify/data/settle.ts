import { statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import type { Journey } from "./message/journey.ts";
import { until } from "./message/until.ts";
import type { Traveller } from "./message/ways.ts";
import { type Ask, lokiAnswers, unscrapedSince } from "./places/answers.ts";
import type { DataSubject } from "./subject.ts";

/** Where Mosquitto keeps its messages, below the volumes. */
const BROKER_FILE = ["broker", "state", "mosquitto.db"] as const;

/** The broker saves its messages each 60 s; Prometheus reads every target each 15 s; log lines take a second or two to Loki. */
const LIMIT_MS = 75_000;

/** What was not written down since the message was stored, in words; null where everything is. */
export interface Unsettled {
  /** Messages that the broker keeps: a plaintext that somebody published is there from then on. */
  readonly broker: string | null;
  readonly metrics: string | null;
  readonly logs: string | null;
}

/** What is asked again and again: of each what is open, in words, or null. */
export type Open = Readonly<Record<keyof Unsettled, () => Promise<string | null>>>;

/** What is open of a deployment on Docker. */
export function openOnDocker({ rendered }: DataSubject, ask: Ask, since: number): Open {
  return {
    broker: async () => unsaved(join(rendered.layout.volumesDir, ...BROKER_FILE), since),
    metrics: () => unscraped(ask, since),
    logs: () => unlogged(ask, since),
  };
}

/** Waits until whatever was kept, logged or counted because of the message is where it is looked for. */
export async function settle(
  { clock, signal }: Pick<Traveller, "clock" | "signal">,
  open: Open,
  { deliveries }: Pick<Journey, "deliveries">,
): Promise<Unsettled> {
  // Where nothing came through there is nothing to wait for.
  if (deliveries.every(({ receipt }) => !receipt)) return { broker: null, metrics: null, logs: null };
  const seen: { -readonly [K in keyof Unsettled]: string | null } = { broker: "", metrics: "", logs: "" };
  const isSettled = async (): Promise<boolean> => {
    for (const name of ["broker", "metrics", "logs"] as const) if (seen[name] !== null) seen[name] = await open[name]();
    return Object.values(seen).every((why) => why === null);
  };
  await until(isSettled, { limitMs: LIMIT_MS, everyMs: 2_000, clock, signal });
  return seen;
}

function unsaved(file: string, since: number): string | null {
  try {
    return statSync(file).ctimeMs >= since ? null : "the broker has not saved its messages since";
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Whether Prometheus has read every target since. */
export async function unscraped(ask: Ask, since: number): Promise<string | null> {
  try {
    const [targets = ""] = await ask("prometheus", ["/api/v1/targets?state=active"]);
    const jobs = unscrapedSince(targets, since);
    return jobs.length === 0 ? null : `Prometheus has not read ${jobs.join(", ")} since`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

async function unlogged(ask: Ask, since: number): Promise<string | null> {
  try {
    let newest = 0;
    for await (const { newestMs } of lokiAnswers(ask, since)) newest = Math.max(newest, newestMs);
    return newest >= since ? null : "no line has come to Loki since";
  } catch (thrown) {
    return messageOf(thrown);
  }
}
