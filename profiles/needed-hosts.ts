import type { EgressHost, EgressPurpose } from "../model/deployment.ts";
import { awsDomain, isAwsRegion } from "./provider-hosts.ts";
import { valueAt } from "./value-at.ts";

/** A host that the deployment cannot do without, because of a member of the file. */
export interface NeededHost {
  /** Member that names it. */
  readonly path: string;
  /** In words. */
  readonly what: string;
  readonly purposes: readonly EgressPurpose[];
  /** Whether an entry of the list, over TCP and of one of the purposes, is it. */
  readonly isAt: (entry: Pick<EgressHost, "host" | "port">) => boolean;
  /** What the list would have to say. */
  readonly entry: EgressHost;
}

/**
 * Every host outside of the deployment that a file names: for the engine's state, for images, for keys. An image that is in its
 * maker's own registry names none, so that any entry for images will do here; the image lock says which registry it is, and is held
 * against the list.
 * @param said the file, with the values of its profile where it is silent
 */
export function neededHosts(said: (path: string) => unknown): readonly NeededHost[] {
  return [...stateHosts(said), ...imageHosts(said), ...keyHosts(said)];
}

function stateHosts(said: (path: string) => unknown): readonly NeededHost[] {
  const backend = said("state.backend");
  const endpoint = said("state.endpoint");
  if (backend === "http") return byUrl("state.address", said("state.address"), ["state"]);
  if (backend !== "s3") return [];
  if (endpoint !== undefined) return byUrl("state.endpoint", endpoint, ["state"]);
  return ofAws("state.region", "s3", said("state.region"), "state");
}

function imageHosts(said: (path: string) => unknown): readonly NeededHost[] {
  if (said("images.source") !== "registry") return [];
  const mirror = said("images.mirror");
  const purposes = ["images", "mirror"] as const;
  if (mirror !== undefined) return byUrl("images.mirror", `https://${mirror}`, purposes);
  const entry = { host: "registry.example", port: 443, protocol: "tcp", purpose: "images" } as const;
  return [{ path: "images.source", what: "a registry", purposes, isAt: () => true, entry }];
}

function keyHosts(said: (path: string) => unknown): readonly NeededHost[] {
  const custody =
    said("custody.kind") === "aws-kms"
      ? ofAws("custody.region", "kms", said("custody.region") ?? said("hosting.region"), "keys")
      : [];
  const vault = said("custody.kind") === "vault" ? byUrl("custody.address", said("custody.address"), ["keys"]) : [];
  const kms = said("pki.issuing.kind") === "aws-kms";
  return [...custody, ...vault, ...(kms ? ofAws("pki.issuing.region", "kms", said("pki.issuing.region"), "keys") : [])];
}

function byUrl(
  path: string,
  url: unknown,
  purposes: readonly [EgressPurpose, ...EgressPurpose[]],
): readonly NeededHost[] {
  if (typeof url !== "string" || !URL.canParse(url)) return [];
  const { hostname, port: said } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const port = said === "" ? 443 : Number(said);
  const isAt: NeededHost["isAt"] = (entry) => entry.host === host && entry.port === port;
  const entry: EgressHost = { host, port, protocol: "tcp", purpose: purposes[0] };
  return [{ path, what: `${host} port ${port}`, purposes, isAt, entry }];
}

/** A service of AWS has a host in its region, with a bucket's name before it or not. */
function ofAws(path: string, service: string, region: unknown, purpose: EgressPurpose): readonly NeededHost[] {
  if (typeof region !== "string" || !isAwsRegion(region)) return [];
  const host = `${service}.${region}.${awsDomain(region)}`;
  const isAt: NeededHost["isAt"] = (entry) => entry.port === 443 && `.${entry.host}`.endsWith(`.${host}`);
  const entry: EgressHost = { host, port: 443, protocol: "tcp", purpose, region };
  return [{ path, what: `${service} of AWS in ${region}`, purposes: [purpose], isAt, entry }];
}

/** The entries of `egress.allow` as far as they have their form. */
export function allowedHosts(allow: unknown): readonly EgressHost[] {
  return Array.isArray(allow) ? allow.filter((entry) => typeof valueAt(entry, ["host"]) === "string") : [];
}
