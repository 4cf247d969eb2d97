import { FrameError } from "./wire-frames.ts";

/** What a connection begins with. */
export type Startup =
  | { readonly kind: "tls" }
  | { readonly kind: "gss" }
  | { readonly kind: "cancel" }
  | { readonly kind: "startup"; readonly parameters: ReadonlyMap<string, string> };

const PROTOCOL_3_0 = 196_608;
const CANCEL_REQUEST = 80_877_102;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
/** Postgres' own limit (MAX_STARTUP_PACKET_LENGTH). */
const MAX_STARTUP_BYTES = 10_000;

/**
 * The first packet of a connection, which has no type byte; null while it is not complete.
 * @throws FrameError for a length, version or layout that is not protocol 3.0
 */
export function parseStartup(bytes: Buffer): { readonly startup: Startup; readonly rest: Buffer } | null {
  if (bytes.length < 4) return null;
  const length = bytes.readUInt32BE(0);
  if (length < 8 || length > MAX_STARTUP_BYTES) throw new FrameError("invalid length of startup packet");
  if (bytes.length < length) return null;
  const rest = bytes.subarray(length);
  const code = bytes.readUInt32BE(4);
  if (code === SSL_REQUEST) return { startup: { kind: "tls" }, rest };
  if (code === GSS_REQUEST) return { startup: { kind: "gss" }, rest };
  if (code === CANCEL_REQUEST) return { startup: { kind: "cancel" }, rest };
  if (code !== PROTOCOL_3_0) throw new FrameError(`unsupported frontend protocol ${code >>> 16}.${code & 0xffff}`);
  return { startup: { kind: "startup", parameters: parseParameters(bytes.subarray(8, length)) }, rest };
}

function parseParameters(bytes: Buffer): ReadonlyMap<string, string> {
  const parts = bytes.toString("utf8").split("\0");
  // name, value, name, value, empty name, and what follows the last terminator
  if (parts.length % 2 !== 0 || parts.at(-1) !== "" || parts.at(-2) !== "")
    throw new FrameError("invalid startup packet layout: expected terminator as last byte");
  const parameters = new Map<string, string>();
  for (let index = 0; index < parts.length - 2; index += 2) parameters.set(parts[index] ?? "", parts[index + 1] ?? "");
  return parameters;
}
