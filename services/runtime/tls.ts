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
  /** One PEM each; with any, every certificate of a peer's chain needs its issuer's. @default none, and nothing is looked up */
  readonly crl?: string[];
  readonly minVersion: "TLSv1.3";
  readonly maxVersion: "TLSv1.3";
}

/** What a server adds to {@link Tls13Options} so that no client without a valid certificate gets past the handshake. */
export const mutualTls = { requestCert: true, rejectUnauthorized: true } as const satisfies TlsOptions;

/** Paths of the files of one identity. */
export type TlsFiles = z.infer<typeof tlsConfig>;

/** What the files of one identity hold. */
export interface TlsTexts {
  /** Trust anchors, PEM. */
  readonly ca: string;
  /** The leaf and its issuers, PEM. */
  readonly cert: string;
  /** PKCS#8 PEM. */
  readonly key: string;
  /** Certificate revocation lists, PEM, one after the other. */
  readonly crl?: string;
}

const followers = new WeakMap<Tls13Options, Set<() => void>>();

/**
 * Reads the files of a `tls` block once; a service that is to see renewals uses `tls` of its context instead.
 * @throws SERVICE_FILE_UNREADABLE
 */
export function readTls(files: TlsFiles): Tls13Options {
  return optionsOf(readTlsTexts(files));
}

/** @throws SERVICE_FILE_UNREADABLE */
export function readTlsTexts({ caFile, certFile, keyFile, crlFile }: TlsFiles): TlsTexts {
  const texts = { ca: readText(caFile), cert: readText(certFile), key: readText(keyFile) };
  return crlFile === undefined ? texts : { ...texts, crl: readText(crlFile) };
}

/** Options with fixed texts. */
export function optionsOf({ ca, cert, key, crl }: TlsTexts): Tls13Options {
  const lists = crl === undefined ? {} : { crl: crlsOf(crl) };
  return { ca, cert, key, ...lists, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" };
}

/** The lists of a PEM bundle one by one: OpenSSL's reader takes the first of a text alone. */
export function crlsOf(bundle: string): string[] {
  return bundle.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
}

/** Calls `listener` after each change of options that change, which those of {@link readTls} never do. */
export function followTls(tls: Tls13Options, listener: () => void): void {
  followers.get(tls)?.add(listener);
}

/** Options that change. */
export interface LiveTls {
  /** Always the newest: whoever reads or spreads them at a connect needs no notice. */
  readonly tls: Tls13Options;
  /** Puts others in their place, and tells those who follow. */
  readonly replace: (options: Tls13Options) => void;
}

/** Makes options that change, from the first ones. Whether they have revocation lists at all stays. */
export function liveOptions(first: Tls13Options): LiveTls {
  let current = first;
  const listeners = new Set<() => void>();
  const versions = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
  const tls: Tls13Options = {
    get ca() {
      return current.ca;
    },
    get cert() {
      return current.cert;
    },
    get key() {
      return current.key;
    },
    ...versions,
  };
  if (first.crl) Object.defineProperty(tls, "crl", { enumerable: true, get: () => current.crl });
  followers.set(tls, listeners);
  return {
    tls,
    replace: (options) => {
      current = options;
      for (const listener of listeners) listener();
    },
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
