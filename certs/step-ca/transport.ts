import { request } from "node:https";
import { messageOf } from "../../shared/errors.ts";
import { stepCaErrors } from "./errors.ts";

/** An online authority's server. */
export interface StepCaEndpoint {
  readonly host: string;
  /** 1..65535. */
  readonly port: number;
  /** Name in its certificate. */
  readonly servername: string;
  /** Trust anchors, PEM. */
  readonly rootPem: string;
  /** @default 25000, since step-ca waits 10 s for its webhook, twice at most */
  readonly timeoutMs?: number | undefined;
}

/** What the server said. */
export interface StepCaAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * One request over TLS 1.3, without a certificate of ours: step-ca would renew it.
 * @throws STEP_CA_UNREACHABLE, STEP_CA_ANSWER when the answer is longer than 16 MiB
 */
export function askStepCa(ca: StepCaEndpoint, path: string, body?: unknown): Promise<StepCaAnswer> {
  const { host, port, servername, rootPem, timeoutMs = 25_000 } = ca;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      const message = `${servername} at ${host}:${port} does not answer: ${messageOf(cause)}`;
      reject(stepCaErrors.error("STEP_CA_UNREACHABLE", message, { path, cause }));
    };
    const signal = AbortSignal.timeout(timeoutMs);
    const tls = { ca: rootPem, servername, minVersion: "TLSv1.3", agent: false } as const;
    const method = body === undefined ? "GET" : "POST";
    const call = request({ host, port, path, method, signal, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes <= MAX_ANSWER_BYTES) return;
        reject(stepCaErrors.error("STEP_CA_ANSWER", `the answer is longer than ${MAX_ANSWER_BYTES} bytes`, { path }));
        call.destroy();
      });
      response.on("error", fail);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    call.on("error", fail);
    call.setHeader("content-type", "application/json");
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
