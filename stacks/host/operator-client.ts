import { request } from "node:https";
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
  readonly authorities: Authorities;
  readonly clock: () => Date;
}

const TIMEOUT_MS = 10_000;

/** A client with a fresh certificate for `op-admin`. */
export async function operatorClient({ endpoint, authorities, clock }: OperatorClientRequest): Promise<OperatorClient> {
  const { leaves } = await issueLeaves(authorities.issuers, {
    clock,
    services: [],
    gateways: [],
    operators: ["op-admin"],
  });
  const tls = {
    ca: authorities.rootPem,
    cert: leaves[0]?.certPem,
    key: leaves[0]?.keyPem,
    minVersion: "TLSv1.3",
  } as const;
  return (method, path, body) =>
    new Promise((resolve, reject) => {
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
