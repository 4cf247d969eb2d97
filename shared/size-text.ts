const UNITS = ["KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes for a person: whole below 1 KiB, else with one decimal in the largest unit that gives 1 or more. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, "B"];
  for (const larger of UNITS) {
    // 1023.95 of a unit would be shown as 1024.0 of it.
    if (value < 1023.95) break;
    [value, unit] = [value / 1024, larger];
  }
  return unit === "B" ? `${value} B` : `${value.toFixed(1)} ${unit}`;
}
