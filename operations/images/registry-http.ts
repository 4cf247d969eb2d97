import http from "node:http";
import https from "node:https";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { imagesErrors } from "./errors.ts";

const LIMIT_MS = 30_000;
const MAX_BYTES = 4_194_304;
const MAX_REDIRECTS = 3;

/** What asking a registry needs. */
export interface RegistryContext {
  /** HTTPS_PROXY, NO_PROXY and the like are obeyed. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** At most 4 MiB. */
  readonly body: Buffer;
}

/** One question to a registry. */
export interface Question {
  readonly url: URL;
  readonly accept: string;
  /** What a token is asked for, where the registry wants one. */
  readonly repository: string;
}

/**
 * Asks a registry anonymously, with a token where it wants one.
 * @throws IMAGES_REGISTRY_UNREACHABLE, IMAGES_REGISTRY_REFUSED, IMAGES_REGISTRY_ANSWER
 */
export async function askRegistry(context: RegistryContext, question: Question): Promise<Answer> {
  const { url, accept, repository } = question;
  const first = await get(context, url, { accept });
  const challenge = first.status === 401 ? first.headers["www-authenticate"] : undefined;
  if (challenge === undefined) return first;
  const token = await anonymousToken(context, challenge, repository, url);
  return get(context, url, { accept, authorization: `Bearer ${token}` });
}

/**
 * Where an answer sends elsewhere, as registries do for blobs that another server keeps: what is there. Nobody is told a token of
 * the registry, and nothing goes from TLS to none. What comes has to be held to its digest.
 * @throws IMAGES_REGISTRY_UNREACHABLE, IMAGES_REGISTRY_ANSWER
 */
export async function followed(context: RegistryContext, answer: Answer, from: URL): Promise<Answer> {
  let [current, at] = [answer, from];
  for (let hops = 0; [301, 302, 303, 307, 308].includes(current.status); hops += 1) {
    const to = URL.parse(current.headers.location ?? "", at);
    const allowed = to !== null && (to.protocol === "https:" || to.protocol === from.protocol);
    if (!allowed || hops === MAX_REDIRECTS)
      throw unexpected(from.href, `${from.host} sends elsewhere for a blob, in a way that is not followed`);
    [current, at] = [await get(context, to, { accept: "*/*" }), to];
  }
  return current;
}

/** The registry wants what an anonymous reader has not. */
export function refused(reference: string, message: string): Error {
  return imagesErrors.error("IMAGES_REGISTRY_REFUSED", message, { path: reference });
}

/** The registry says what the distribution specification does not know. */
export function unexpected(reference: string, message: string): Error {
  return imagesErrors.error("IMAGES_REGISTRY_ANSWER", message, { path: reference });
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
