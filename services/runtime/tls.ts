import { readFileSync } from "node:fs";
import type { TlsOptions } from "node:tls";
import type { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import type { tlsConfig } from "./config.ts";
import { runtimeErrors } from "./errors.ts";

/** Options for a TLS 1.3-only client; a server adds {@link mutualTls}. */
export interface Tls13Options {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly minVersion: "TLSv1.3";
  readonly maxVersion: "TLSv1.3";
}

/** What a server adds to {@link Tls13Options} so that no client without a valid certificate gets past the handshake. */
export const mutualTls = { requestCert: true, rejectUnauthorized: true } as const satisfies TlsOptions;

/**
 * Reads the files of a `tls` block.
 * @throws SERVICE_FILE_UNREADABLE
 */
export function readTls(files: z.infer<typeof tlsConfig>): Tls13Options {
  return {
    ca: readText(files.caFile),
    cert: readText(files.certFile),
    key: readText(files.keyFile),
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
  };
}

/**
 * The text of a file that the configuration names.
 * @throws SERVICE_FILE_UNREADABLE
 */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw runtimeErrors.error("SERVICE_FILE_UNREADABLE", `cannot read file: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}
