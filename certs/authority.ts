import { X509Certificate } from "node:crypto";
import { messageOf } from "../shared/errors.ts";
import { certsErrors } from "./errors.ts";
import type { CertifiedKey, Signer } from "./issue.ts";
import { parsePrivateKeyPem } from "./keys.ts";
import { LEAF_CLASSES, type LeafClass } from "./names.ts";
import { authoritySubject } from "./subject.ts";
import { x509 } from "./x509.ts";

/** What an authority issues: a root the intermediates, an intermediate the leaves of one class. */
export type AuthorityKind = "root" | LeafClass;

/** An authority whose kind is known from its own certificate. */
export interface Authority extends Signer, CertifiedKey {
  readonly kind: AuthorityKind;
}

/**
 * Makes an authority of its stored pair.
 * @throws CERT_AUTHORITY_INVALID when either cannot be read, or they do not belong together
 */
export async function loadAuthority(pair: CertifiedKey, path = "authority"): Promise<Authority> {
  const { certificate, plain } = parseCertificate(pair.certPem, path);
  const { signingKey, publicKeySpki } = await parsePrivateKeyPem(pair.keyPem, path);
  if (!plain.publicKey.export({ format: "der", type: "spki" }).equals(publicKeySpki)) {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", "the private key is not that of the certificate", { path });
  }
  const tenant = certificate.subjectName.getField("O")[0] ?? "";
  const kind = (["root", ...LEAF_CLASSES] as const).find(
    (each) => authoritySubject(tenant, each).toString() === certificate.subject,
  );
  if (kind === undefined || !plain.ca) {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", `"${certificate.subject}" is not one of our authorities`, {
      path,
    });
  }
  return { ...pair, kind, tenant, certificate, signingKey, name: certificate.subjectName.getField("CN")[0] ?? "" };
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

function parseCertificate(pem: string, path: string): { certificate: x509.X509Certificate; plain: X509Certificate } {
  try {
    return { certificate: new x509.X509Certificate(pem), plain: new X509Certificate(pem) };
  } catch (thrown) {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", `the certificate cannot be read: ${messageOf(thrown)}`, { path });
  }
}
