import { catalogue, EXIT } from "./errors.ts";

/** Error codes of `shared/`. */
export const sharedErrors = catalogue({
  DURATION_INVALID: {
    exit: EXIT.configuration,
    summary: "A duration is not a whole number with one of the units s, m, h, d.",
    fix: "write it like 30s, 5m, 72h or 90d",
  },
});

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/**
 * Seconds of a duration such as `30s`, `5m`, `72h`, `90d`.
 * @throws DURATION_INVALID
 */
export function parseDuration(text: string, path?: string): number {
  const match = /^([1-9][0-9]{0,8})([smhd])$/.exec(text);
  if (!match)
    throw sharedErrors.error("DURATION_INVALID", `"${text}" is not a duration; accepted: 30s, 5m, 72h, 90d`, { path });
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
}
