/** Cores as the provider reads them back: it compares texts, and would see a change in `1` every time. */
export function cores(count: number): string {
  return Number.isInteger(count) ? count.toFixed(1) : String(count);
}

/** Seconds as Go prints them: the provider compares texts, and would see a change in `90s` every time. */
export function goDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0
    ? `${seconds}s`
    : `${minutes >= 60 ? `${Math.floor(minutes / 60)}h` : ""}${minutes % 60}m${seconds % 60}s`;
}

/** Labels as the blocks that the provider takes. */
export function labelBlocks(labels: Readonly<Record<string, string>>) {
  return Object.entries(labels).map(([label, value]) => ({ label, value }));
}
