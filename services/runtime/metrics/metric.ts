/** What the name of every metric of ours begins with. */
export const METRIC_PREFIX = "trustkern_";

interface Named {
  /** Without {@link METRIC_PREFIX}; a counter ends in `_total`, a measure in its base unit (`_seconds`, `_bytes`). */
  readonly name: string;
  readonly help: string;
  /** A counter never falls but when its process starts anew. */
  readonly type: "counter" | "gauge";
}

interface NumberMetric extends Named {
  readonly label?: undefined;
  readonly labels?: undefined;
  /** The number now; null while there is none, and then the metric is not shown: none is not 0. */
  readonly read: () => number | null;
}

interface TableMetric extends Named {
  readonly labels?: undefined;
  readonly label: {
    readonly name: string;
    /** The values that the label always has: what was never counted is 0, so that the first one shows as a rise. */
    readonly values: readonly string[];
  };
  /** The numbers now, by the label's value. */
  readonly read: () => Readonly<Record<string, number | undefined>>;
}

/** One series: the value of every label, and the number. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

interface SeriesMetric extends Named {
  readonly label?: undefined;
  /** Names of the labels that each series has. */
  readonly labels: readonly string[];
  /** The series now; one that is not there any more is not shown any more. */
  readonly read: () => readonly Sample[];
}

/** One measured thing of a service. It is metadata: no label names a sensor, and no value comes out of a message. */
export type Metric = NumberMetric | TableMetric | SeriesMetric;

/** A number that only rises; its name ends in `_total`. */
export function counter(name: string, help: string, read: () => number): Metric {
  return { name, help, type: "counter", read };
}

/** A number that rises and falls. */
export function gauge(name: string, help: string, read: () => number | null): Metric {
  return { name, help, type: "gauge", read };
}

/** 1 or 0, as Prometheus writes a state. */
export function numberOf(state: boolean): number {
  return state ? 1 : 0;
}

/** `trustkern_dependency_up`: whether each of the parts that a service needs answers it. */
export function dependencyMetric(read: () => Readonly<Record<string, boolean>>): Metric {
  return {
    name: "dependency_up",
    help: "Whether a part that the service needs answers it.",
    type: "gauge",
    label: { name: "dependency", values: [] },
    read: () => Object.fromEntries(Object.entries(read()).map(([name, up]) => [name, numberOf(up)])),
  };
}

/**
 * `trustkern_<prefix>certificate_not_before_timestamp_seconds` and `…_not_after_…`: the life of the certificate that is in use;
 * neither is shown while there is none.
 */
export function certificateMetrics(
  prefix: string,
  read: () => { readonly notBefore: string; readonly notAfter: string } | undefined,
): readonly Metric[] {
  const seconds = (time: string | undefined): number | null => (time === undefined ? null : Date.parse(time) / 1000);
  const at = (which: string, end: string, pick: () => string | undefined): Metric =>
    gauge(
      `${prefix}certificate_${which}_timestamp_seconds`,
      `${end} of the certificate in use, in seconds since the Unix epoch.`,
      () => seconds(pick()),
    );
  return [at("not_before", "Beginning", () => read()?.notBefore), at("not_after", "End", () => read()?.notAfter)];
}
