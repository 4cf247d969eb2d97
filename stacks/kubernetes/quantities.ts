// As the API writes them back: another form of the same amount would look like a change to whoever compares texts.

/** Processors as a quantity: `2`, or `500m` for a part of one. */
export function cores(count: number): string {
  const thousandths = Math.round(count * 1000);
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}

/** Mebibytes as a quantity, in the largest unit that they are a whole number of: `1536Mi`, `2Gi`. */
export function mebibytes(count: number): string {
  return count > 0 && count % 1024 === 0 ? `${count / 1024}Gi` : `${count}Mi`;
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ "": 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** The amount that a quantity says, such as 0.5 for `500m` (Kubernetes API, Quantity); NaN for what is none. */
export function quantityOf(text: string): number {
  const [, number = "", unit = ""] = /^([0-9.]+(?:[eE][0-9]+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  return Number.parseFloat(number) * (UNITS[unit] ?? Number.NaN);
}
