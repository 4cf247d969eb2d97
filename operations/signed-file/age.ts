/** How far the clock of whoever signed may be ahead of ours. */
const SKEW_MS = 5 * 60_000;

/** Whether a time is later than now, by more than clocks differ. */
export function isInFuture(time: string, at: Date): boolean {
  return at.getTime() - Date.parse(time) < -SKEW_MS;
}

/**
 * How long ago a time is, in its largest unit, rounded down, where that is longer than was asked for.
 * @param maxAgeSeconds undefined where any age is taken
 */
export function tooOld(time: string, at: Date, maxAgeSeconds: number | undefined): string | undefined {
  const ageMs = at.getTime() - Date.parse(time);
  return maxAgeSeconds === undefined || ageMs <= maxAgeSeconds * 1_000 ? undefined : inWords(ageMs);
}

function inWords(ms: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1_000, "second"],
  ] as const;
  const [size, name] = units.find(([unit]) => ms >= unit) ?? [1_000, "second"];
  const many = Math.floor(ms / size);
  return `${many} ${name}${many === 1 ? "" : "s"}`;
}
