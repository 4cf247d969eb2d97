/** A collector's one route. */
const COLLECTOR_ALLOWLIST = "/v1/allowlist/collector";

/**
 * Whether the holder of a verified certificate may use a route: operators (`op-…`) every one, the collector its allowlist,
 * nobody else any. `commonName` is null for a certificate whose class and name do not belong together.
 */
export function mayCall(commonName: string | null, method: string, pathname: string): boolean {
  if (commonName === null) return false;
  if (commonName.startsWith("op-")) return true;
  return commonName === "svc-collector" && method === "GET" && pathname === COLLECTOR_ALLOWLIST;
}
