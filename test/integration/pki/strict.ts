import { X509Certificate } from "node:crypto";
import type { Documents } from "./documents.ts";
import { verdict } from "./verdict.ts";

/** What `openssl verify -x509_strict -crl_check_all` does not take, with its words. */
export async function refused({ certificates, crls }: Documents): Promise<readonly string[]> {
  const roots = certificates.filter(({ pem, issuer }) => issuer === pem);
  const between = certificates.filter(({ pem, issuer }) => issuer !== pem && new X509Certificate(pem).ca);
  const found: string[] = [];
  for (const { name, pem } of certificates) {
    const said = await verdict(pem, {
      rootPem: roots.map((each) => each.pem).join(""),
      untrustedPem: between.map((each) => each.pem).join(""),
      crls: crls.map((each) => each.pem),
    });
    if (said !== "OK") found.push(`${name}: ${said}`);
  }
  return found;
}
