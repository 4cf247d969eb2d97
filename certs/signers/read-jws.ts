import type { KeyObject } from "node:crypto";
import { type CompactVerifyGetKey, compactVerify } from "jose";

const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)\n?$/;

/** What a compact JWS says, its signature being good. */
export interface ReadJws {
  /** The payload, a JSON object that names the schema. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly header: Readonly<Record<string, unknown>>;
}

/**
 * Reads a compact JWS (RFC 7515, section 7.1) whose type and whose payload's `schema` are the one that is asked for.
 * @param key P-256, or what finds it for a header
 * @returns null when the signature (ES256) is not good, or it is anything else
 */
export async function readJws(
  text: string,
  schema: string,
  key: KeyObject | CompactVerifyGetKey,
): Promise<ReadJws | null> {
  const parts = COMPACT.exec(text)?.slice(1) ?? [];
  // Bits of base64 without a meaning would let two texts be one statement.
  if (parts.length !== 3 || parts.some((part) => Buffer.from(part, "base64url").toString("base64url") !== part)) {
    return null;
  }
  try {
    const find: CompactVerifyGetKey = typeof key === "function" ? key : () => key;
    const { payload, protectedHeader } = await compactVerify(parts.join("."), find, { algorithms: ["ES256"] });
    const read = JSON.parse(Buffer.from(payload).toString("utf8")) as Record<string, unknown>;
    return protectedHeader.typ === schema && read.schema === schema ? { payload: read, header: protectedHeader } : null;
  } catch {
    return null;
  }
}
