import { createHash } from "node:crypto";
import { request } from "node:https";
import { messageOf } from "../../../shared/errors.ts";
import { gatewayErrors } from "../errors.ts";
import type { Credential } from "./credential.ts";
import type { Identity } from "./identity.ts";

/** Where the backend is, and the name that its certificate must carry. */
export interface BackendTarget {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

/** One request. */
export interface BackendCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
  /** @default the newest that has a token and that the backend has not just refused */
  readonly credential?: Credential;
  /** Trust anchors to try, PEM. @default those in force */
  readonly anchors?: readonly string[];
}

/** The gateway's side of the backend's HTTPS interface. */
export interface BackendClient {
  /**
   * The answer's JSON.
   * @throws GATEWAY_BACKEND_AWAY, GATEWAY_BACKEND_REFUSED, GATEWAY_BACKEND_ANSWER
   * @throws GATEWAY_BACKEND_PAUSED without asking: no credential may be shown now
   */
  readonly call: (call: BackendCall) => Promise<unknown>;
  /** Shows a certificate that has no token: the answer is a refusal, and the backend knows it then. @throws GATEWAY_BACKEND_AWAY */
  readonly introduce: (credential: Credential) => Promise<void>;
}

/** What {@link createBackendClient} is handed. */
export interface BackendClientOptions {
  readonly target: BackendTarget;
  readonly identity: Pick<Identity, "credentials" | "tlsOf">;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 64 * 1024 * 1024;
const MINUTE_MS = 60_000;
/** The backend locks an identity out after 5 failures in 60 s: nothing here comes near that. */
const PAUSE_MS = { away: MINUTE_MS / 4, refused: 15 * MINUTE_MS, locked: 10 * MINUTE_MS } as const;
const MAX_PAUSE_MS = { away: 10 * MINUTE_MS, refused: 240 * MINUTE_MS, locked: 240 * MINUTE_MS } as const;

type Failure = keyof typeof PAUSE_MS;

/**
 * Asks with certificate and token, on a connection of its own. After a failure the same credential is not shown again for a
 * while that doubles: 15 s to 10 min where nobody answered, 15 min to 4 h after 401 and 403, as long as the backend says and
 * at least 10 min after 429. A new certificate or token has no pause.
 */
export function createBackendClient({ target, identity, now, random }: BackendClientOptions): BackendClient {
  const pauses = new Map<string, { readonly untilMs: number; readonly failures: number }>();

  function pause(name: string, failure: Failure, atLeastMs = 0): void {
    const failures = (pauses.get(name)?.failures ?? 0) + 1;
    const doubled = Math.min(PAUSE_MS[failure] * 2 ** (failures - 1), MAX_PAUSE_MS[failure]);
    pauses.set(name, { untilMs: now() + Math.max(doubled, atLeastMs) * (1 + random() / 5), failures });
  }

  const isFree = (credential: Credential): boolean =>
    credential.token !== null && now() >= (pauses.get(nameOf(credential))?.untilMs ?? 0);

  return {
    introduce: async (credential) => {
      const call = { method: "GET", path: "/v1/gateway/allowlist" } as const;
      await ask(target, identity, { ...credential, token: null }, call);
    },
    call: async (call) => {
      const credential = (call.credential ? [call.credential] : identity.credentials()).find(isFree);
      if (credential === undefined) {
        throw gatewayErrors.error("GATEWAY_BACKEND_PAUSED", "no certificate with a token may be shown to it now");
      }
      const name = nameOf(credential);
      const { status, body, retryAfterMs } = await ask(target, identity, credential, call).catch((thrown: unknown) => {
        pause(name, "away");
        throw thrown;
      });
      if (status === 401 || status === 403 || status === 429) {
        pause(name, status === 429 ? "locked" : "refused", retryAfterMs);
        throw gatewayErrors.error("GATEWAY_BACKEND_REFUSED", `${call.path}: status ${status}, ${codeOf(body)}`, {
          path: "backend",
        });
      }
      if (status >= 500) pause(name, "away");
      else pauses.delete(name);
      if (status !== 200) {
        throw gatewayErrors.error("GATEWAY_BACKEND_ANSWER", `${call.path}: status ${status}`, { path: codeOf(body) });
      }
      return parse(body, call.path);
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number;
}

function ask(
  target: BackendTarget,
  identity: Pick<Identity, "tlsOf">,
  credential: Credential,
  { method, path, body, anchors }: BackendCall,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const away = (cause: unknown): void => {
      reject(gatewayErrors.error("GATEWAY_BACKEND_AWAY", messageOf(cause), { path: "backend", cause }));
    };
    const { token } = credential;
    const headers = {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      "content-type": "application/json",
    };
    const tls = {
      ...identity.tlsOf(credential, anchors),
      agent: false as const,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    const call = request({ ...target, ...tls, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("error", away);
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > MAX_BYTES) response.destroy(new Error(`more than ${MAX_BYTES} bytes`));
      });
      response.on("end", () => {
        const seconds = Number(response.headers["retry-after"] ?? 0);
        const retryAfterMs =
          Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, 24 * 60 * MINUTE_MS) : 0;
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8"), retryAfterMs });
      });
    });
    call.on("error", away);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function parse(body: string, path: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw gatewayErrors.error("GATEWAY_BACKEND_ANSWER", `${path}: the answer is not JSON`, { cause });
  }
}

/** The code of an error's body, for the message; whatever else is in it stays out. */
function codeOf(body: string): string {
  return /"code":"([A-Z][A-Z0-9_]{1,60})"/.exec(body)?.[1] ?? "backend";
}

function nameOf({ sha256, token }: Credential): string {
  return createHash("sha256").update(`${sha256}.${token}`).digest("hex");
}
