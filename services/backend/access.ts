/** What services may call, each its one route. */
const SERVICE_ROUTES: Readonly<Record<string, string>> = {
  "svc-collector": "/v1/allowlist/collector",
  "svc-broker": "/v1/broker/trust",
};

/** What gateways may call, with a token. */
const GATEWAY_PREFIX = "/v1/gateway/";

/**
 * Whether the holder of a verified certificate may use a route: operators (`op-…`) every one but the gateways' own, gateways
 * (`gw-…`) theirs, the collector its allowlist, the broker what it is to trust, nobody else any. `commonName` is null for a
 * certificate whose class and name do not belong together.
 */
export function mayCall(commonName: string | null, method: string, pathname: string): boolean {
  if (commonName === null) return false;
  const forGateways = pathname.startsWith(GATEWAY_PREFIX);
  if (commonName.startsWith("gw-")) return forGateways;
  if (commonName.startsWith("op-")) return !forGateways;
  return method === "GET" && Object.hasOwn(SERVICE_ROUTES, commonName) && SERVICE_ROUTES[commonName] === pathname;
}
