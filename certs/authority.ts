import { X509Certificate } from "node:crypto";
import { messageOf } from "../shared/errors.ts";
import { certsErrors } from "./errors.ts";
import type { CertifiedKey, Signer } from "./issue.ts";
import { type LoadedKey, parsePrivateKeyPem } from "./keys.ts";
import { LEAF_CLASSES, type LeafClass } from "./names.ts";
import { authoritySubject, MAKER_NAME, makerSubject } from "./subject.ts";
import { x509 } from "./x509.ts";

/** What an authority issues: a root the intermediates, an intermediate the leaves of one class, a maker's its devices. */
export type AuthorityKind = "root" | LeafClass | "maker";

/** An authority whose kind is known from its own certificate, wherever its key is. */
export interface Authority extends Signer {
  readonly kind: AuthorityKind;
  /** Whose devices it names, where its kind is `maker`. */
  readonly maker?: string | undefined;
  readonly certPem: string;
}

/** An authority whose key is PEM. `keyPem` is a secret. */
export interface StoredAuthority extends Authority, CertifiedKey {}

/**
 * Makes an authority of its stored pair.
 * @throws CERT_AUTHORITY_INVALID when either cannot be read, or they do not belong together
 */
export async function loadAuthority(pair: CertifiedKey, path = "authority"): Promise<StoredAuthority> {
  const authority = joinAuthority(pair.certPem, await parsePrivateKeyPem(pair.keyPem, path), path);
  return { ...authority, keyPem: pair.keyPem };
}

/**
 * Makes an authority of its certificate and a key that is loaded, or that a token holds.
 * @throws CERT_AUTHORITY_INVALID when the certificate cannot be read, is none of ours, or is not that of the key
 */
export function joinAuthority(certPem: string, key: LoadedKey, path = "authority"): Authority {
  const { certificate, plain } = parseCertificate(certPem, path);
  if (!plain.publicKey.export({ format: "der", type: "spki" }).equals(key.publicKeySpki)) {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", "the private key is not that of the certificate", { path });
  }
  const own = kindOf(certificate);
  if (own === undefined || !plain.ca) {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", `"${certificate.subject}" is not one of our authorities`, {
      path,
    });
  }
  const { signingKey, crypto } = key;
  const name = certificate.subjectName.getField("CN")[0] ?? "";
  return { ...own, certPem, certificate, signingKey, crypto, name };
}

/**
 * Refuses an authority that does not issue this kind of certificate.
 * @throws CERT_ISSUER_WRONG
 */
export function assertIssues(authority: Authority, kind: AuthorityKind): void {
  if (authority.kind !== kind) {
    throw certsErrors.error(
      "CERT_ISSUER_WRONG",
      `"${authority.name}" of ${authority.tenant} cannot issue this; the authority "TrustKern ${kind}" can`,
      { path: "issuer" },
    );
  }
}

function kindOf({
  subject,
  subjectName,
}: x509.X509Certificate): Pick<Authority, "kind" | "tenant" | "maker"> | undefined {
  const tenant = subjectName.getField("O")[0] ?? "";
  const kind = (["root", ...LEAF_CLASSES] as const).find(
    (each) => authoritySubject(tenant, each).toString() === subject,
  );
  if (kind !== undefined) return { kind, tenant };
  const name = subjectName.getField("CN")[0] ?? "";
  const maker = name.startsWith(MAKER_NAME) ? name.slice(MAKER_NAME.length) : "";
  return maker !== "" && makerSubject(tenant, maker).toString() === subject
    ? { kind: "maker", tenant, maker }
    : undefined;
}

function parseCertificate(pem: string, path: string): { certificate: x509.X509Certificate; plain: X509Certificate } {
  try {
    return { certificate: new x509.X509Certificate(pem), plain: new X509Certificate(pem) };
  } catch (thrown) {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", `the certificate cannot be read: ${messageOf(thrown)}`, { path });
  }
}
