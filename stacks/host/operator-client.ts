import { type RequestOptions, request } from "node:https";
import { issueLeaves } from "../../certs/deployment.ts";
import { remoteError } from "../../shared/control-client.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Authorities } from "./authorities.ts";
import { hostErrors } from "./errors.ts";

/** Calls the backend as an operator, with a certificate of its own that exists in memory only. */
export type OperatorClient = (method: "GET" | "POST" | "PUT", path: string, body?: unknown) => Promise<unknown>;

/** Where the backend is, and who may issue the operator's certificate. */
export interface OperatorClientRequest {
  readonly endpoint: { readonly host: string; readonly port: number; readonly servername: string };
  readonly authorities: Authorities | (() => Promise<Authorities>);
  readonly clock: () => Date;
}

const TIMEOUT_MS = 10_000;

/** Seconds after which another certificate is taken: an operator's is good for an hour. */
const FRESH_SECONDS = 1_800;

/** A client with certificates for `op-admin`, each for a while. */
export async function operatorClient({ endpoint, authorities, clock }: OperatorClientRequest): Promise<OperatorClient> {
  let held: { readonly tls: Awaited<ReturnType<typeof identity>>; readonly since: number } | undefined;
  const identity = async () => {
    const { issuers, anchorsPem } = typeof authorities === "function" ? await authorities() : authorities;
    const request = { clock, services: [], gateways: [], operators: ["op-admin"] };
    const { leaves } = await issueLeaves(issuers, request);
    return { ca: anchorsPem, cert: leaves[0]?.certPem, key: leaves[0]?.keyPem, minVersion: "TLSv1.3" } as const;
  };
  const current = async (): Promise<Awaited<ReturnType<typeof identity>>> => {
    const now = clock().getTime();
    if (held === undefined || now - held.since > FRESH_SECONDS * 1000) held = { tls: await identity(), since: now };
    return held.tls;
  };
  await current();
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
    const fail = (cause: unknown): void =>
      reject(
        hostErrors.error("SERVICE_FAILED", `backend: ${method} ${path}: ${messageOf(cause)}`, {
          path: "backend",
          cause,
        }),
      );
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
