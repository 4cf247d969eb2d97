import type { KeyObject } from "node:crypto";
import { bytesOfHex } from "../../protocol/hex.ts";
import { importP256Point } from "../../protocol/signature.ts";
import { messageOf } from "../../shared/errors.ts";
import { readText } from "../runtime/tls.ts";
import { collectorErrors } from "./errors.ts";

/** The backend's public signing key, and the text that it came from. */
export interface BackendKey {
  readonly key: KeyObject;
  /** Uncompressed P-256 point, hex. */
  readonly point: string;
}

/**
 * Reads the backend's public signing key.
 * @throws SERVICE_FILE_UNREADABLE
 * @throws COLLECTOR_BACKEND_KEY
 */
export function readBackendKey(file: string): BackendKey {
  const point = readText(file).trim();
  try {
    return { key: importP256Point(bytesOfHex(point)), point };
  } catch (cause) {
    throw collectorErrors.error("COLLECTOR_BACKEND_KEY", `no backend key: ${messageOf(cause)}`, { path: file, cause });
  }
}
