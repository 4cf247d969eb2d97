import { X509Certificate } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Crl } from "../../../certs/crl.ts";
import { messageOf } from "../../../shared/errors.ts";
import { transaction } from "../registry/database.ts";
import { type AuthorityCertificate, authorityOf, certificatesOf } from "./chain.ts";
import { revocationErrors } from "./errors.ts";

/** The authorities whose lists and leaves are known here: the roots, and every intermediate that one of them signed. */
export interface Authorities {
  /** Remembers an authority. @throws CERTIFICATE_REFUSED when no trust anchor signed it */
  readonly learn: (pem: string) => AuthorityCertificate;
  /** The authority that a list says that it is from. @throws CRL_ISSUER_UNKNOWN also for one whose trust anchor is gone */
  readonly ofCrl: (crl: Pick<Crl, "keyId" | "issuer">) => AuthorityCertificate;
  /** Whether one of the trust anchors in force signed a certificate of an authority. */
  readonly stands: (pem: string) => boolean;
}

/** What {@link createAuthorities} works with. */
export interface AuthoritiesOptions {
  readonly db: DatabaseSync;
  /** Trust anchors, PEM, as they are in force. */
  readonly anchorsPem: () => string;
}

/** Authorities on the registry's database. */
export function createAuthorities({ db, anchorsPem }: AuthoritiesOptions): Authorities {
  const remember = (authority: AuthorityCertificate): AuthorityCertificate => {
    const { keyId, name, pem } = authority;
    if (db.prepare("SELECT pem FROM authority WHERE key_id = ?").get(keyId)?.pem === pem) return authority;
    transaction(db, () =>
      db
        .prepare(
          "INSERT INTO authority VALUES (?, ?, ?) ON CONFLICT (key_id) DO UPDATE SET name = excluded.name, pem = excluded.pem",
        )
        .run(keyId, name, pem),
    );
    return authority;
  };
  const stands = (pem: string): boolean => isSignedBy(new X509Certificate(pem), anchorsPem());
  return {
    stands,
    learn: (pem) => {
      assertSignedBy(pem, anchorsPem());
      return remember(authorityOf(pem));
    },
    ofCrl: ({ keyId, issuer }) => {
      for (const anchor of certificatesOf(anchorsPem())) remember(authorityOf(anchor));
      const row = db.prepare("SELECT * FROM authority WHERE key_id = ?").get(keyId);
      if (row && stands(String(row.pem))) return { keyId, name: String(row.name), pem: String(row.pem) };
      throw revocationErrors.error(
        "CRL_ISSUER_UNKNOWN",
        `"${issuer}" with key ${keyId || "of no name"} is not known here`,
        {
          path: "crls",
        },
      );
    },
  };
}

function assertSignedBy(pem: string, anchorsPem: string): void {
  try {
    if (isSignedBy(new X509Certificate(pem), anchorsPem)) return;
  } catch (cause) {
    throw revocationErrors.error("CERTIFICATE_REFUSED", `no certificate: ${messageOf(cause)}`, {
      path: "issuers",
      cause,
    });
  }
  throw revocationErrors.error("CERTIFICATE_REFUSED", "no authority that a trust anchor of this deployment signed", {
    path: "issuers",
  });
}

function isSignedBy(authority: X509Certificate, anchorsPem: string): boolean {
  const anchors = certificatesOf(anchorsPem).map((each) => new X509Certificate(each));
  return authority.ca && anchors.some((root) => authority.checkIssued(root) && authority.verify(root.publicKey));
}
