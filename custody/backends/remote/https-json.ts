import type { IncomingMessage } from "node:http";
import { request } from "node:https";

/** One request to a key service. */
export interface JsonRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** PEM of the authorities that may have issued the service's certificate. @default those that Node.js knows */
  readonly ca?: string | undefined;
}

/** Bounds of a request. */
export interface JsonLimits {
  /** Longest wait for the whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest body of the answer, in bytes. */
  readonly maxBytes: number;
}

/** An answer, whatever it says. */
export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body is no JSON. */
  readonly body: unknown;
}

/**
 * Asks over a verified TLS connection of its own (TLS 1.2 or 1.3), whatever the environment says of verification; follows
 * no redirect. Rejects with what went wrong, for the caller to name.
 */
export function httpsJson(asked: JsonRequest, limits: JsonLimits): Promise<JsonAnswer> {
  const { url, method, headers, ca } = asked;
  return new Promise((resolve, reject) => {
    const options = {
      method,
      headers: { ...headers, "content-type": "application/json" },
      agent: false,
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
      signal: AbortSignal.timeout(limits.timeoutMs),
      ...(ca === undefined ? {} : { ca }),
    } as const;
    const call = request(url, options, (response) => {
      readBody(response, limits.maxBytes).then(
        (text) => resolve({ status: response.statusCode ?? 0, body: parsed(text) }),
        reject,
      );
    });
    call.on("error", reject);
    call.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  });
}

function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on("error", reject);
    response.on("data", (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxBytes) response.destroy(new Error(`it answers with more than ${maxBytes} bytes`));
    });
    response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
