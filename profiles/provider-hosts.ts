// Names of AWS's regions; the groups of letters before the direction are all that AWS has.
const AWS_REGION =
  /(?:^|[.-])((?:af|ap|ca|cn|eu|eusc-de|il|me|mx|sa|us|us-gov|us-iso[a-z]?)-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9])(?=\.|$)/;

/** Whether a name is that of a region of AWS, by its form. */
export function isAwsRegion(region: string): boolean {
  return AWS_REGION.exec(region)?.[1] === region;
}

/** Domain below which AWS has the services of a region. */
export function awsDomain(region: string): string {
  if (region.startsWith("cn-")) return "amazonaws.com.cn";
  return region.startsWith("eusc-") ? "amazonaws.eu" : "amazonaws.com";
}

/**
 * The region that a host says to be in by its name, as those of AWS do; undefined for one that names none, which may lie anywhere.
 * @param place a host, `host:port/path` of a registry, or a URL
 */
export function regionInHost(place: string): string | undefined {
  const host = place
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, "")
    .replace(/[:/].*$/, "");
  const named = AWS_REGION.exec(host)?.[1];
  // A service of AWS without a region in its name is in its first one.
  return named ?? (/(?:^|\.)amazonaws\.com$/.test(host) ? "us-east-1" : undefined);
}

/** Domains whose registries the known images of other makers are published in: upstream's. */
export const UPSTREAM_DOMAINS: readonly string[] = ["docker.io", "docker.com"];

/** Whether a registry, as `host[:port][/path]`, is at one of these domains or below. */
export function isBelow(registry: string, domains: readonly string[]): boolean {
  const host = registry.toLowerCase().replace(/[:/].*$/, "");
  return domains.some((domain) => `.${host}`.endsWith(`.${domain}`));
}
