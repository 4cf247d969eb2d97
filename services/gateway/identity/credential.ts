import { X509Certificate } from "node:crypto";
import { type PeerSubject, peerName } from "../../../certs/peer-name.ts";
import { brokenTls, certificatesOf, type TlsProblem, tlsProblem } from "../../runtime/tls-set.ts";

/** What a gateway shows: a certificate with its key, and the token that is bound to it. A secret. */
export interface Credential {
  /** The leaf and its issuers, PEM. */
  readonly certPem: string;
  readonly keyPem: string;
  /** For the backend; null where none was handed out yet. */
  readonly token: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Of the leaf, lower-case hex. */
  readonly sha256: string;
  /** Of the authority's certificate that is sent with the leaf, lower-case hex; null where none is. */
  readonly authoritySha256: string | null;
}

/** Texts of a {@link Credential}, as they are kept. */
export interface CredentialTexts {
  readonly cert: string;
  readonly key: string;
  readonly token: string | null;
}

/** Why texts are no credential of this gateway. */
export type CredentialProblem = TlsProblem | "foreign-name";

/** `gw_` and 40 random bytes in base64url. */
const TOKEN = /^gw_[A-Za-z0-9_-]{54}$/;

/** A token from a text, or null where it holds none. */
export function tokenOf(text: string): string | null {
  const token = text.trim();
  return TOKEN.test(token) ? token : null;
}

/** A credential from its texts, or null where they do not fit together. */
export function parseCredential({ cert, key, token }: CredentialTexts): Credential | null {
  // The anchors are looked at elsewhere: they change by themselves.
  if (brokenTls({ ca: cert, cert, key }) !== null) return null;
  const [leaf, authority] = certificatesOf(cert);
  if (leaf === undefined) return null;
  return {
    certPem: cert,
    keyPem: key,
    token,
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
    sha256: sha256Of(leaf),
    authoritySha256: authority ? sha256Of(authority) : null,
  };
}

/** What keeps a gateway from showing a credential now, or null. */
export function credentialProblem(
  { certPem, keyPem }: Pick<Credential, "certPem" | "keyPem">,
  { gateway, ca, atMs }: { readonly gateway: string; readonly ca: string; readonly atMs: number },
): CredentialProblem | null {
  const { subject } = new X509Certificate(certPem).toLegacyObject();
  if (peerName(subject as unknown as PeerSubject) !== gateway) return "foreign-name";
  return tlsProblem({ ca, cert: certPem, key: keyPem }, atMs);
}

/** Whether a credential's authority is another than those whose leaves may stay; none of them says nothing. */
export function isSuperseded({ authoritySha256 }: Credential, authorities: readonly string[]): boolean {
  return authorities.length > 0 && !authorities.some((each) => each === authoritySha256);
}

function sha256Of({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(":", "").toLowerCase();
}

/** When a credential is to be renewed: at two thirds of its life, and up to a thirtieth of it later, so that a fleet spreads. */
export function renewalDueMs({ notBeforeMs, notAfterMs, sha256 }: Credential): number {
  const life = notAfterMs - notBeforeMs;
  const share = Number.parseInt(sha256.slice(0, 8), 16) / 2 ** 32;
  return notBeforeMs + (life * 2) / 3 + (life * share) / 30;
}
