const UNITS = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** A size such as `64MiB`. */
export const SIZE_PATTERN = /^([1-9][0-9]{0,5})(KiB|MiB|GiB)$/;

/** Bytes of a text that {@link SIZE_PATTERN} accepts; NaN for any other. */
export function sizeBytes(text: string): number {
  const [, count, unit] = SIZE_PATTERN.exec(text) ?? [];
  return unit === undefined ? Number.NaN : Number(count) * UNITS[unit as keyof typeof UNITS];
}
