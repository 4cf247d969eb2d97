import { createHash } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { imagesErrors } from "./errors.ts";
import { DIGEST, manifestUrl, parseReference } from "./reference.ts";

const LIMIT_MS = 30_000;
const MAX_BYTES = 4_194_304;

/** Manifests and lists of manifests, of Docker (schema 2) and of OCI. */
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** What asking a registry needs. */
export interface RegistryContext {
  /** HTTPS_PROXY, NO_PROXY and the like are obeyed. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * The digest of what a tag points to now: of the manifest's bytes, or of the list of manifests where the image is for several
 * platforms. Reads anonymously, with a token where the registry wants one; over TLS but for a registry of this machine.
 * @throws IMAGES_REFERENCE_INVALID, IMAGES_REGISTRY_UNREACHABLE, IMAGES_REGISTRY_REFUSED, IMAGES_REGISTRY_ANSWER,
 * IMAGES_UNRESOLVED when the registry has no such tag
 */
export async function resolveDigest(context: RegistryContext, reference: string): Promise<string> {
  const parsed = parseReference(reference);
  const url = manifestUrl(parsed);
  const first = await get(context, url, { accept: ACCEPT });
  const challenge = first.status === 401 ? first.headers["www-authenticate"] : undefined;
  const answer =
    challenge === undefined
      ? first
      : await get(context, url, {
          accept: ACCEPT,
          authorization: `Bearer ${await anonymousToken(context, challenge, parsed.repository, url)}`,
        });
  return digestOf(answer, reference, url.host);
}

function digestOf({ status, headers, body }: Answer, reference: string, host: string): string {
  if (status === 404) throw imagesErrors.error("IMAGES_UNRESOLVED", `${host} has no ${reference}`, { path: reference });
  if (status === 401 || status === 403) throw refused(reference, `${host} answers with status ${status}`);
  if (status !== 200) throw unexpected(reference, `${host} answers with status ${status}`);
  const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
  const said = headers["docker-content-digest"];
  if (typeof said === "string" && DIGEST.test(said) && said !== digest)
    throw unexpected(reference, `${host} says that the digest is ${said}, and sent bytes with ${digest}`);
  if (!isManifest(body)) throw unexpected(reference, `${host} sent something that is no manifest`);
  return digest;
}

function isManifest(body: Buffer): boolean {
  try {
    const { schemaVersion } = JSON.parse(body.toString("utf8"));
    return schemaVersion === 2;
  } catch {
    return false;
  }
}

const tokenAnswer = z.union([
  z.object({ token: z.string().min(1) }).transform(({ token }) => token),
  z.object({ access_token: z.string().min(1) }).transform(({ access_token }) => access_token),
]);

/** A token for reading one repository (distribution project, token authentication specification). */
async function anonymousToken(
  context: RegistryContext,
  challenge: string,
  repository: string,
  registry: URL,
): Promise<string> {
  const realm = parameter(challenge, "realm");
  if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm))
    throw refused(repository, `${registry.host} wants a login: ${challenge.slice(0, 100)}`);
  const url = new URL(realm);
  if (url.protocol !== registry.protocol)
    throw refused(repository, `${registry.host} sends to ${url.origin} for a token, which is not ${registry.protocol}`);
  const service = parameter(challenge, "service");
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", parameter(challenge, "scope") ?? `repository:${repository}:pull`);
  const { status, body } = await get(context, url, { accept: "application/json" });
  if (status !== 200) throw refused(repository, `${url.host} gives no token without a login (status ${status})`);
  try {
    return tokenAnswer.parse(JSON.parse(body.toString("utf8")));
  } catch (cause) {
    throw imagesErrors.error("IMAGES_REGISTRY_ANSWER", `${url.host} gives no token that can be read`, { cause });
  }
}

function parameter(challenge: string, name: string): string | undefined {
  return new RegExp(`[ ,]${name}="([^"]*)"`, "i").exec(challenge)?.[1];
}

async function get(
  { env, signal }: RegistryContext,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const unreachable = (cause: unknown): Error =>
    imagesErrors.error("IMAGES_REGISTRY_UNREACHABLE", `${url.host}: ${messageOf(cause)}`, { path: url.host, cause });
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const options = { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]) };
  const request =
    url.protocol === "https:"
      ? https.get(url, { ...options, agent: new https.Agent({ proxyEnv: env, keepAlive: false }) }, resolve)
      : http.get(url, { ...options, agent: false }, resolve);
  request.on("error", reject);
  try {
    const response = await promise;
    return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyOf(response) };
  } catch (cause) {
    throw unreachable(cause);
  }
}

async function bodyOf(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`the answer is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refused(reference: string, message: string): Error {
  return imagesErrors.error("IMAGES_REGISTRY_REFUSED", message, { path: reference });
}

function unexpected(reference: string, message: string): Error {
  return imagesErrors.error("IMAGES_REGISTRY_ANSWER", message, { path: reference });
}
