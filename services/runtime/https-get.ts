import { type Agent, request } from "node:https";

/** Bounds of {@link httpsGet}. */
export interface HttpsGetLimits {
  /** Longest wait for the whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest body, in bytes. */
  readonly maxBytes: number;
}

/** The body of a `GET` that is answered with 200. Rejects with what went wrong, for the caller to name. */
export function httpsGet(url: URL, agent: Agent, { timeoutMs, maxBytes }: HttpsGetLimits): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
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
