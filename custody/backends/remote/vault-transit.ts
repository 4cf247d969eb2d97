import { readFileSync } from "node:fs";
import { z } from "zod";
import { readSecretFile } from "../../../certs/signers/secret-file.ts";
import { messageOf } from "../../../shared/errors.ts";
import { custodyStoreErrors } from "../errors.ts";
import { httpsJson, type JsonAnswer } from "./https-json.ts";

/** A key of a transit engine of Vault or OpenBao, and who may use it. */
export interface TransitKey {
  /** `https://host:port`, with a path before `/v1` where a proxy wants one. */
  readonly address: string;
  /** Path of the engine's mount, such as `transit`. */
  readonly mount: string;
  readonly key: string;
  /** File with the token; it is read for each request, so that an agent may renew it. */
  readonly tokenFile: string;
  /** PEM of the authorities that may have issued the service's certificate. @default those that Node.js knows */
  readonly caFile?: string | undefined;
}

/** What a transit engine answers. */
export interface TransitAnswer {
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** The service's own words. */
  readonly said: string;
}

const LIMITS = { timeoutMs: 2_000, maxBytes: 65_536 } as const;
const LONGEST_WORDS = 200;
const MOUNT = /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/;
const KEY = /^\w(?:[\w.-]*\w)?$/;

// Vault's HTTP API: an answer has `data`, a refusal `errors`.
const BODY = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.string()).nullish(),
});

const REFUSALS = {
  400: "CUSTODY_STORE_SERVICE_FAILED",
  403: "CUSTODY_STORE_DENIED",
  404: "CUSTODY_STORE_WRAP_KEY_MISSING",
  429: "CUSTODY_STORE_THROTTLED",
  472: "CUSTODY_STORE_SERVICE_SEALED",
  473: "CUSTODY_STORE_SERVICE_SEALED",
  503: "CUSTODY_STORE_SERVICE_SEALED",
} as const;

/**
 * Asks about the key, or has it work on a body: `GET /v1/<mount>/keys/<key>`, `POST /v1/<mount>/<verb>/<key>`.
 * @returns an answer of status 200 or 400
 * @throws CUSTODY_STORE_ADDRESS, CUSTODY_STORE_UNREACHABLE, CUSTODY_STORE_DENIED, CUSTODY_STORE_WRAP_KEY_MISSING,
 * CUSTODY_STORE_THROTTLED, CUSTODY_STORE_SERVICE_SEALED (a standby as well), CUSTODY_STORE_SERVICE_FAILED,
 * SIGNER_SECRET_UNREADABLE
 */
export async function askTransit(
  key: TransitKey,
  verb: "keys" | "encrypt" | "decrypt",
  body?: Readonly<Record<string, string>>,
): Promise<TransitAnswer> {
  const url = transitUrl(key, verb);
  const { status, said, data } = wordsOf(await send(key, url, body));
  if (status === 200 || status === 400) return { status, said, data };
  const redirects = status >= 300 && status < 400;
  const code = redirects ? REFUSALS[473] : (REFUSALS[status as keyof typeof REFUSALS] ?? REFUSALS[400]);
  const where = redirects ? ", which is to ask another node" : "";
  throw transitError(key, code, `it answers ${verb} with status ${status}${where}${said && `: ${said}`}`);
}

/** An error about a key of a transit engine. */
export function transitError(
  key: TransitKey,
  code: Parameters<typeof custodyStoreErrors.error>[0],
  message: string,
  cause?: unknown,
): Error {
  // The host alone: an address may have a password in it by mistake.
  const host = URL.parse(key.address)?.host ?? "";
  return custodyStoreErrors.error(code, message, { path: `https://${host}/v1/${key.mount}/keys/${key.key}`, cause });
}

function transitUrl(at: TransitKey, verb: string): URL {
  const url = URL.parse(at.address);
  const wrong = (what: string): Error => transitError(at, "CUSTODY_STORE_ADDRESS", what);
  if (url?.protocol !== "https:") throw wrong("the address must start with https://: what travels are keys");
  if (url.username || url.password || url.search || url.hash)
    throw wrong("the address must be a host and a port alone");
  if (!MOUNT.test(at.mount)) throw wrong(`"${at.mount}" is no path of a mount`);
  if (!KEY.test(at.key)) throw wrong(`"${at.key}" is no name of a key`);
  return new URL(`${url.pathname.replace(/\/$/, "")}/v1/${at.mount}/${verb}/${at.key}`, url);
}

async function send(key: TransitKey, url: URL, body?: Readonly<Record<string, string>>): Promise<JsonAnswer> {
  const headers = { "x-vault-token": readSecretFile(key.tokenFile), "x-vault-request": "true" };
  const ca = key.caFile === undefined ? undefined : readCa(key, key.caFile);
  try {
    return await httpsJson({ url, method: body ? "POST" : "GET", headers, body, ca }, LIMITS);
  } catch (cause) {
    throw transitError(key, "CUSTODY_STORE_UNREACHABLE", `it cannot be asked: ${messageOf(cause)}`, cause);
  }
}

function readCa(key: TransitKey, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw transitError(key, "CUSTODY_STORE_ADDRESS", `caFile cannot be read: ${messageOf(cause)}`, cause);
  }
}

function wordsOf({ status, body }: JsonAnswer): TransitAnswer {
  const { data, errors } = BODY.safeParse(body).data ?? {};
  const said = (errors ?? []).join("; ").replace(/[^\x20-\x7e]+/g, " ");
  return { status, data: data ?? {}, said: said.slice(0, LONGEST_WORDS).trim() };
}
