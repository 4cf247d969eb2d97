import { readFileSync } from "node:fs";
import type { Tls13Options } from "../../runtime/tls.ts";
import { optionsOf } from "../../runtime/tls.ts";
import { describeTls, type TlsStatus } from "../../runtime/tls-set.ts";
import { type Credential, type CredentialTexts, credentialProblem, parseCredential, tokenOf } from "./credential.ts";
import type { IdentityFile } from "./identity-file.ts";

/** What the gateway may show, from its configured files and from its own renewals. */
export interface Identity {
  /** Newest first of those that hold now; where none does, the newest of all: a clock may be wrong. */
  readonly credentials: () => readonly Credential[];
  readonly tlsOf: (credential: Credential, anchors?: readonly string[]) => Tls13Options;
  /**
   * Options for the next connect to the broker, or null before there is a certificate. The newest comes first; after an
   * attempt that failed it is another one's turn, so that a new certificate that the broker does not take costs no connection.
   */
  readonly forBroker: () => Tls13Options | null;
  /** The broker took the last one. */
  readonly brokerAccepted: () => void;
  readonly status: () => TlsStatus | undefined;
}

/** What {@link createIdentity} is handed. */
export interface IdentityOptions {
  readonly gateway: string;
  readonly file: IdentityFile;
  /** The configured files; null where there is no certificate in them yet. */
  readonly configured: Pick<Tls13Options, "cert" | "key"> | null;
  /** Trust anchors in force, PEM. */
  readonly ca: () => string;
  /** Path of the token that belongs to the configured files. @default none */
  readonly tokenFile?: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** Makes an {@link Identity}. */
export function createIdentity({ gateway, file, configured, ca, tokenFile, now }: IdentityOptions): Identity {
  let failures = 0;
  const parsed = new Map<string, Credential | null>();

  function parse(texts: CredentialTexts): Credential | null {
    const name = [texts.cert, texts.key, texts.token].join();
    if (!parsed.has(name)) {
      if (parsed.size > 8) parsed.clear();
      parsed.set(name, parseCredential(texts));
    }
    return parsed.get(name) ?? null;
  }

  function credentials(): readonly Credential[] {
    const { current, previous } = file.state();
    const token = tokenFile === undefined ? null : readToken(tokenFile);
    const texts: CredentialTexts[] = [current, previous].flatMap((each) =>
      each === null ? [] : [{ ...each, token: each.token ?? token }],
    );
    if (configured) texts.push({ cert: configured.cert, key: configured.key, token });
    const newest = texts
      .flatMap((each) => parse(each) ?? [])
      .toSorted((a, b) => b.notBeforeMs - a.notBeforeMs || b.notAfterMs - a.notAfterMs);
    const context = { gateway, ca: ca(), atMs: now() };
    const usable = newest.filter((each) => credentialProblem(each, context) === null);
    return usable.length > 0 ? usable : newest.slice(0, 1);
  }

  const tlsOf = ({ certPem, keyPem }: Credential, anchors: readonly string[] = []): Tls13Options =>
    optionsOf({ ca: anchors.length > 0 ? anchors.join("\n") : ca(), cert: certPem, key: keyPem });

  return {
    credentials,
    tlsOf,
    forBroker: () => {
      const all = credentials();
      const credential = all[failures % Math.max(1, all.length)];
      failures += 1;
      return credential ? tlsOf(credential) : null;
    },
    brokerAccepted: () => {
      failures = 0;
    },
    status: () => {
      const [credential] = credentials();
      return credential && describeTls({ ca: ca(), cert: credential.certPem });
    },
  };
}

function readToken(path: string): string | null {
  try {
    return tokenOf(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
