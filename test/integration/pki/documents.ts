import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { splitPem } from "./forge.ts";
import type { Document } from "./pkilint/pkilint.ts";

/** Every certificate and revocation list of one PKI, each once. */
export interface Documents {
  readonly certificates: readonly Document[];
  readonly crls: readonly Document[];
}

/** Finds every certificate and list in the files below a folder, by what they hold and not by their names. */
export function documentsBelow(folder: string): Documents {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return documentsOf(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { name: relative(folder, path), text: readFileSync(path, "latin1") };
    }),
  );
}

/** Every certificate and list in some texts. */
export function documentsOf(texts: readonly { readonly name: string; readonly text: string }[]): Documents {
  const found = new Map<string, string>();
  for (const { name, text } of texts)
    for (const pem of splitPem(text.replaceAll("\r", ""))) if (!found.has(pem.trim())) found.set(pem.trim(), name);
  const of = (label: string) =>
    [...found]
      .filter(([pem]) => pem.startsWith(`-----BEGIN ${label}-----`))
      .map(([pem, name]) => ({ name, pem: `${pem}\n` }));
  const authorities = of("CERTIFICATE").filter(({ pem }) => new X509Certificate(pem).ca);
  return {
    certificates: of("CERTIFICATE").map(({ name, pem }) => {
      const issuer = authorities.find((each) => issued(pem, each.pem));
      return { name: `${name}: ${subjectOf(pem)}`, kind: "certificate", pem, ...(issuer && { issuer: issuer.pem }) };
    }),
    crls: of("X509 CRL").map(({ name, pem }) => ({ name, kind: "CRL", pem })),
  };
}

/** The subject in one line. */
export function subjectOf(pem: string): string {
  return new X509Certificate(pem).subject.replaceAll("\n", ", ");
}

function issued(pem: string, issuerPem: string): boolean {
  const [certificate, issuer] = [new X509Certificate(pem), new X509Certificate(issuerPem)];
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
