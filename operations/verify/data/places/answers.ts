import { z } from "zod";
import type { Place } from "../../search/place.ts";

/** Asks a component by HTTPS for a path; the text of an answer of 200. */
export type Ask = (component: "loki" | "prometheus", paths: readonly string[]) => Promise<readonly string[]>;

/** Most lines that Loki gives in one answer, by its own default. */
const LOKI_LINES = 5_000;
/** Answers that are read of one question; more lines than that would not be the log of a minute. */
const LOKI_PAGES = 40;

const streams = z.object({
  data: z.object({
    result: z.array(z.object({ values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())) })),
  }),
});

/**
 * Every log line that Loki took since a moment, as it answers, oldest first.
 * @param since milliseconds since the Unix epoch
 * @throws what asking throws, and where there are more lines than are read
 */
export async function* lokiAnswers(ask: Ask, since: number): AsyncIterable<Place & { readonly newestMs: number }> {
  const query = encodeURIComponent('{component=~".+"}');
  let from = `${since}000000`;
  for (let page = 0; page < LOKI_PAGES; page += 1) {
    const path = `/loki/api/v1/query_range?query=${query}&start=${from}&limit=${LOKI_LINES}&direction=forward`;
    const [text = ""] = await ask("loki", [path]);
    const times = streams.parse(JSON.parse(text)).data.result.flatMap(({ values }) => values.map(([time]) => time));
    const newest = times.reduce((latest, time) => (BigInt(time) > BigInt(latest) ? time : latest), "0");
    yield { name: "Loki", content: text, newestMs: Number(BigInt(newest) / 1_000_000n) };
    if (times.length < LOKI_LINES) return;
    from = newest;
  }
  throw new Error(`there are more than ${LOKI_LINES * LOKI_PAGES} lines since the message was made`);
}

const labels = z.object({ data: z.array(z.string()).optional() });

/**
 * The names of the labels that Loki has, and every line since a moment of a stream that names no component, which
 * {@link lokiAnswers} does not ask for.
 * @param since milliseconds since the Unix epoch
 * @throws what asking throws, and where an answer is full
 */
export async function* lokiStrays(ask: Ask, since: number): AsyncIterable<Place> {
  const start = `start=${since}000000`;
  const [text = ""] = await ask("loki", [`/loki/api/v1/labels?${start}`]);
  yield { name: "Loki: labels", content: text };
  const others = (labels.parse(JSON.parse(text)).data ?? []).filter((label) => label !== "component");
  const queries = others.map((label) => encodeURIComponent(`{component="",${label}=~".+"}`));
  const paths = queries.map((query) => `/loki/api/v1/query_range?query=${query}&${start}&limit=${LOKI_LINES}`);
  for (const content of paths.length === 0 ? [] : await ask("loki", paths)) {
    const lines = streams.parse(JSON.parse(content)).data.result.flatMap(({ values }) => values);
    if (lines.length >= LOKI_LINES) throw new Error(`there are ${LOKI_LINES} lines or more of no component`);
    yield { name: "Loki: lines of no component", content };
  }
}

/** What Prometheus says of itself and of everything that it knows: labels, values, targets with their errors, rules with their texts. */
const PROMETHEUS_PATHS = [
  'series?match[]={__name__!=""}',
  'query?query={__name__!=""}',
  "metadata",
  "targets",
  "rules",
  "alerts",
  "status/config",
  "status/flags",
] as const;

/**
 * What Prometheus keeps, as it answers.
 * @throws what asking throws
 */
export async function* prometheusAnswers(ask: Ask): AsyncIterable<Place> {
  const texts = await ask(
    "prometheus",
    PROMETHEUS_PATHS.map((path) => `/api/v1/${encodeURI(path)}`),
  );
  for (const [index, content] of texts.entries())
    yield { name: `Prometheus: ${PROMETHEUS_PATHS[index]?.split("?")[0]}`, content };
}

const targets = z.object({
  data: z.object({
    activeTargets: z.array(z.object({ labels: z.record(z.string(), z.string()), lastScrape: z.string() })),
  }),
});

/** Jobs whose metrics Prometheus has not read since a moment, by the answer to `targets`. */
export function unscrapedSince(text: string, sinceMs: number): readonly string[] {
  return targets
    .parse(JSON.parse(text))
    .data.activeTargets.filter(({ lastScrape }) => !(Date.parse(lastScrape) >= sinceMs))
    .map(({ labels }) => labels.job ?? "");
}
