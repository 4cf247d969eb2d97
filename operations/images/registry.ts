import { createHash } from "node:crypto";
import { imagesErrors } from "./errors.ts";
import { blobUrl, DIGEST, manifestUrl, parseReference, type Reference } from "./reference.ts";
import { type Answer, askRegistry, followed, type RegistryContext, refused, unexpected } from "./registry-http.ts";

/** Manifests and lists of manifests, of Docker (schema 2) and of OCI. */
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** A manifest, or a list of manifests. */
export interface Manifest {
  /** Of the bytes, not as a header says it. */
  readonly digest: string;
  readonly bytes: Buffer;
}

/**
 * The digest of what a tag points to now: of the manifest's bytes, or of the list of manifests where the image is for several
 * platforms. Reads anonymously, with a token where the registry wants one; over TLS but for a registry of this machine.
 * @throws IMAGES_REFERENCE_INVALID, IMAGES_REGISTRY_UNREACHABLE, IMAGES_REGISTRY_REFUSED, IMAGES_REGISTRY_ANSWER,
 * IMAGES_UNRESOLVED when the registry has no such tag
 */
export async function resolveDigest(context: RegistryContext, reference: string): Promise<string> {
  const parsed = parseReference(reference);
  const manifest = await readManifest(context, parsed);
  if (manifest !== undefined) return manifest.digest;
  const { host } = manifestUrl(parsed);
  throw imagesErrors.error("IMAGES_UNRESOLVED", `${host} has no ${reference}`, { path: reference });
}

/**
 * The manifest that a tag points to now, or undefined.
 * @throws as {@link resolveDigest}
 */
export async function readManifest(context: RegistryContext, reference: Reference): Promise<Manifest | undefined> {
  const url = manifestUrl(reference);
  const answer = await askRegistry(context, { url, accept: ACCEPT, repository: reference.repository });
  if (answer.status === 404) return undefined;
  const path = url.href;
  const { headers, body } = accepted(answer, path, url.host);
  const digest = sha256(body);
  const said = headers["docker-content-digest"];
  if (typeof said === "string" && DIGEST.test(said) && said !== digest)
    throw unexpected(path, `${url.host} says that the digest is ${said}, and sent bytes with ${digest}`);
  if (!isManifest(body)) throw unexpected(path, `${url.host} sent something that is no manifest`);
  return { digest, bytes: body };
}

/**
 * The bytes of a blob that a manifest names, at most 4 MiB.
 * @throws as {@link resolveDigest}; IMAGES_REGISTRY_ANSWER also for a blob that is not there or is not what its digest says
 */
export async function readBlob(context: RegistryContext, image: Reference, digest: string): Promise<Buffer> {
  const url = blobUrl(image, digest);
  const asked = await askRegistry(context, { url, accept: "*/*", repository: image.repository });
  const { body } = accepted(await followed(context, asked, url), url.href, url.host);
  if (sha256(body) !== digest) throw unexpected(url.href, `${url.host} sent other bytes than those of ${digest}`);
  return body;
}

function accepted(answer: Answer, reference: string, host: string): Answer {
  const { status } = answer;
  if (status === 401 || status === 403) throw refused(reference, `${host} answers with status ${status}`);
  if (status !== 200) throw unexpected(reference, `${host} answers with status ${status}`);
  return answer;
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function isManifest(body: Buffer): boolean {
  try {
    const { schemaVersion } = JSON.parse(body.toString("utf8"));
    return schemaVersion === 2;
  } catch {
    return false;
  }
}
