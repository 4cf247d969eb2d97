import { Agent } from "node:https";
import { messageOf } from "../../../shared/errors.ts";
import { httpsGet } from "../../runtime/https-get.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import { collectorErrors } from "../errors.ts";

const PATH = "/v1/allowlist/collector";
const LIMITS = { timeoutMs: 5000, maxBytes: 64 * 1024 * 1024 } as const;

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
    httpsGet(new URL(PATH, url), agent, LIMITS).catch((cause: unknown) => {
      throw collectorErrors.error("COLLECTOR_BACKEND_AWAY", `no allowlist: ${messageOf(cause)}`, { path: url, cause });
    });
}
