/** The middle one; of an even number, the upper of the two. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** A whole number with separators of thousands. */
export const whole = (value: number): string => Math.round(value).toLocaleString("en");

/** Microseconds for each message. */
export const micros = (seconds: number, messages: number): string => ((seconds / messages) * 1e6).toFixed(1);
