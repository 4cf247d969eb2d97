import type { KeyObject } from "node:crypto";
import { bytesOfHex } from "../../protocol/hex.ts";
import { importP256Point } from "../../protocol/signature.ts";
import { messageOf } from "../../shared/errors.ts";
import { readText } from "../runtime/tls.ts";
import { gatewayErrors } from "./errors.ts";

/**
 * Reads the backend's public signing key.
 * @throws SERVICE_FILE_UNREADABLE, GATEWAY_BACKEND_KEY
 */
export function readBackendKey(path: string): KeyObject {
  const text = readText(path).trim();
  try {
    return importP256Point(bytesOfHex(text));
  } catch (cause) {
    throw gatewayErrors.error("GATEWAY_BACKEND_KEY", `not the backend's key: ${messageOf(cause)}`, { path, cause });
  }
}
