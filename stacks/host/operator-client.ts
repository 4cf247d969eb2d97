import { type RequestOptions, request } from "node:https";
import type { Authority } from "../../certs/authority.ts";
import { issueOperatorLeaf } from "../../certs/classes/leaf-operator.ts";
import { remoteError } from "../../shared/control-client.ts";
import { messageOf } from "../../shared/errors.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { Authorities } from "./authorities.ts";
import { hostErrors } from "./errors.ts";

/** Calls the backend as an operator, with a certificate of its own that exists in memory only. */
export type OperatorClient = (method: "GET" | "POST" | "PUT", path: string, body?: unknown) => Promise<unknown>;

/** Where the backend is, and who may issue the operator's certificate. */
export interface OperatorClientRequest {
  readonly endpoint: { readonly host: string; readonly port: number; readonly servername: string };
  /** Read before each call: a rotation changes them. */
  readonly authorities: () => Promise<Authorities>;
  readonly clock: () => Date;
  /** Told of each certificate before it is used. */
  readonly onIssued: (certPem: string, event: SecurityEvent) => Promise<void>;
}

const TIMEOUT_MS = 10_000;

/** Seconds after which another certificate is taken: an operator's is good for an hour. */
const FRESH_SECONDS = 1_800;

/** A client with certificates for `op-admin`, each for a while, and for as long as its authority and the anchors stay. */
export function operatorClient({ endpoint, authorities, clock, onIssued }: OperatorClientRequest): OperatorClient {
  let held: { readonly tls: Identity; readonly below: string; readonly since: number } | undefined;
  const current = async (): Promise<Identity> => {
    const { issuers, anchorsPem } = await authorities();
    const below = issuers.operators.certPem + anchorsPem;
    const now = clock().getTime();
    if (held === undefined || held.below !== below || now - held.since > FRESH_SECONDS * 1000) {
      held = { tls: await identity(issuers.operators, anchorsPem), below, since: now };
    }
    return held.tls;
  };
  const identity = async (issuer: Authority, ca: string): Promise<Identity> => {
    const { certPem, keyPem, event } = await issueOperatorLeaf(issuer, { name: "op-admin", now: clock() });
    await onIssued(certPem, event);
    return { ca, cert: certPem, key: keyPem, minVersion: "TLSv1.3" };
  };
  return async (method, path, body) => exchange(endpoint, await current(), method, path, body);
}

type Identity = Pick<RequestOptions, "ca" | "cert" | "key" | "minVersion">;

function exchange(
  endpoint: OperatorClientRequest["endpoint"],
  tls: Identity,
  method: string,
  path: string,
  body: unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const fail = (cause: unknown): void => reject(unanswered(`${method} ${path}`, cause));
    const call = request({ ...endpoint, ...tls, method, path, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        try {
          const value: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
          if (response.statusCode === 200) resolve(value);
          else reject(remoteError(response.statusCode ?? 0, value, "backend"));
        } catch (cause) {
          fail(cause);
        }
      });
    });
    call.on("error", fail);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What a connection fails with where nothing listens. */
const NOBODY = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"];

function unanswered(call: string, cause: unknown): Error {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  const isNobody = NOBODY.some((each) => each === code);
  const message = isNobody ? `the backend does not run: ${messageOf(cause)}` : `backend: ${call}: ${messageOf(cause)}`;
  return hostErrors.error("SERVICE_FAILED", message, {
    path: "backend",
    cause,
    ...(isNobody && {
      fix: "bring the deployment up with `trustkern up` or `trustkern deploy`, then run the command again",
    }),
  });
}
