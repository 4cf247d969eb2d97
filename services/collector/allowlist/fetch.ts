import { Agent, request } from "node:https";
import { messageOf } from "../../../shared/errors.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import { collectorErrors } from "../errors.ts";

const PATH = "/v1/allowlist/collector";
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 5000;

/** Where the allowlist comes from. */
export interface BackendAddress {
  /** `https://host:port` */
  readonly url: string;
  /** Name that the backend's certificate must carry. */
  readonly servername: string;
}

/** A function that fetches the collector's signed allowlist (DSSE in JSON) over mutual TLS 1.3 on one kept connection. */
export function createAllowlistFetch({ url, servername }: BackendAddress, tls: Tls13Options): () => Promise<string> {
  const agent = new Agent({ ...tls, servername, keepAlive: true, maxSockets: 1 });
  return () =>
    new Promise((resolve, reject) => {
      const away = (cause: unknown): void =>
        reject(
          collectorErrors.error("COLLECTOR_BACKEND_AWAY", `no allowlist: ${messageOf(cause)}`, { path: url, cause }),
        );
      const call = request(new URL(PATH, url), { agent, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("error", away);
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BYTES) response.destroy(new Error(`more than ${MAX_BYTES} bytes`));
          else chunks.push(chunk);
        });
        response.on("end", () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
          else away(new Error(`status ${response.statusCode}`));
        });
      });
      call.on("error", away);
      call.end();
    });
}
