import { imagesErrors } from "./errors.ts";

/** Where Docker looks for an image that names no registry. */
const DEFAULT_HOST = "docker.io";
const DEFAULT_API_HOST = "registry-1.docker.io";

/** The parts of an image reference with a tag. */
export interface Reference {
  /** Host and port of the registry. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
}

// The grammar of references is that of the distribution project (`reference` package): path components in lower case,
// a first component with a dot or a colon, or `localhost`, is a host.
const HOST = /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:)|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** A digest of SHA-256, as registries and engines write it. */
export const DIGEST: RegExp = /^sha256:[0-9a-f]{64}$/;

/**
 * Takes `[host/]repository:tag` apart.
 * @throws IMAGES_REFERENCE_INVALID also for one that has no tag, or a digest
 */
export function parseReference(text: string): Reference {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const host = HOST.test(first) ? first : DEFAULT_HOST;
  const rest = host === first ? text.slice(slash + 1) : text;
  const colon = rest.lastIndexOf(":");
  const [name, tag] = colon < 0 ? [rest, ""] : [rest.slice(0, colon), rest.slice(colon + 1)];
  if (!REPOSITORY.test(name) || !TAG.test(tag)) {
    throw imagesErrors.error(
      "IMAGES_REFERENCE_INVALID",
      `"${text}" is no image reference with a tag; accepted: [host/]repository:tag, such as grafana/grafana:12.3.0`,
      { path: text },
    );
  }
  const official = host === DEFAULT_HOST && !name.includes("/");
  return { host, repository: official ? `library/${name}` : name, tag };
}

/** Where the manifest of a reference is to be had (OCI distribution specification, pulling manifests). */
export function manifestUrl(reference: Reference): URL {
  return apiUrl(reference, `manifests/${reference.tag}`);
}

/** Where a blob of an image's repository is to be had (OCI distribution specification, pulling blobs). */
export function blobUrl(reference: Reference, digest: string): URL {
  return apiUrl(reference, `blobs/${digest}`);
}

function apiUrl({ host, repository }: Reference, what: string): URL {
  const name = host.replace(/:[0-9]+$/, "");
  const local = name === "localhost" || name === "127.0.0.1" || name === "[::1]";
  return new URL(`${local ? "http" : "https"}://${apiOf(host)}/v2/${repository}/${what}`);
}

function apiOf(host: string): string {
  return host === DEFAULT_HOST ? DEFAULT_API_HOST : host;
}

/**
 * Host, and port where one is said, that an image is pulled from.
 * @throws IMAGES_REFERENCE_INVALID
 */
export function apiHost(reference: string): string {
  return apiOf(parseReference(reference).host);
}

/** The reference of the same image in another registry. */
export function inRegistry(reference: string, registry: string): string {
  const { host, repository, tag } = parseReference(reference);
  return `${registry}/${host === DEFAULT_HOST ? repository.replace(/^library\//, "") : repository}:${tag}`;
}

/** The image of a reference at a digest, as engines pull it. */
export function pinned(reference: string, digest: string): string {
  return `${reference.slice(0, reference.lastIndexOf(":"))}@${digest}`;
}
