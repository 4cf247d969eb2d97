import { messageOf } from "../../../shared/errors.ts";
import { type HttpsPeer, httpsGet } from "../../runtime/https-get.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import { collectorErrors } from "../errors.ts";

const PATH = "/v1/allowlist/collector";
const LIMITS = { timeoutMs: 5000, maxBytes: 64 * 1024 * 1024 } as const;

/**
 * A function that fetches the collector's signed allowlist (DSSE in JSON) from the backend.
 * @param tls may change: the next question is asked with what it is then
 */
export function createAllowlistFetch(backend: HttpsPeer, tls: Tls13Options): () => Promise<string> {
  return () =>
    httpsGet(backend, PATH, tls, LIMITS).catch((cause: unknown) => {
      const message = `no allowlist: ${messageOf(cause)}`;
      throw collectorErrors.error("COLLECTOR_BACKEND_AWAY", message, { path: backend.url, cause });
    });
}
