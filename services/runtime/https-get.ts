import { request } from "node:https";
import type { Tls13Options } from "./tls.ts";

/** Where {@link httpsGet} asks. */
export interface HttpsPeer {
  /** `https://host:port` */
  readonly url: string;
  /** Name that the peer's certificate must carry. */
  readonly servername: string;
}

/** Bounds of {@link httpsGet}. */
export interface HttpsGetLimits {
  /** Longest wait for the whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest body, in bytes. */
  readonly maxBytes: number;
}

/**
 * The body of a `GET` that is answered with 200, over mutual TLS 1.3. Each one has a connection of its own, so that it is made with
 * the certificates of then. Rejects with what went wrong, for the caller to name.
 */
export function httpsGet(
  { url, servername }: HttpsPeer,
  path: string,
  tls: Tls13Options,
  { timeoutMs, maxBytes }: HttpsGetLimits,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ...tls, servername, agent: false, signal: AbortSignal.timeout(timeoutMs) } as const;
    const call = request(new URL(path, url), options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) response.destroy(new Error(`more than ${maxBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    call.on("error", reject);
    call.end();
  });
}
