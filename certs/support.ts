import { denial } from "./denial.ts";

/** Common names of the vendor's staff. */
const SUPPORT_PREFIX = "op-support-";

/** When the vendor's staff get in: never, as any operator, or between two times (RFC 3339, UTC). */
export type SupportAccess =
  | { readonly access: "off" | "operators" }
  | { readonly access: "granted"; readonly from: string; readonly until: string };

/**
 * Holds a name of the vendor's staff to the access that it has now; every other name passes.
 * @throws DENIED_SUPPORT_OFF
 */
export function assertSupport(support: SupportAccess, name: string, now: Date): void {
  if (!isSupport(name) || support.access === "operators") return;
  if (support.access !== "granted") throw denial("support-off", `"${name}" has no access: support.access is off`);
  const { from, until } = support;
  if (now.getTime() >= Date.parse(from) && now.getTime() < Date.parse(until)) return;
  throw denial("support-off", `"${name}" has access from ${from} until ${until}, and it is ${now.toISOString()}`);
}

/** Whether a common name is one of the vendor's staff. */
export function isSupport(name: string): boolean {
  return name.startsWith(SUPPORT_PREFIX);
}

/** Seconds until the access of a name of the vendor's staff ends, in whole; undefined where it has no end. */
export function supportSeconds(support: SupportAccess, name: string, now: Date): number | undefined {
  if (!isSupport(name) || support.access !== "granted") return undefined;
  return Math.floor((Date.parse(support.until) - now.getTime()) / 1000);
}
