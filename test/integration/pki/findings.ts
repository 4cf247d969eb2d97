import { X509Certificate } from "node:crypto";
import type { Documents } from "./documents.ts";
import { aboveNotice, pkilint } from "./pkilint/pkilint.ts";

/** docs/adr/0035-pkilint.md says why; no other finding of any document is passed over. */
export const NOT_CRITICAL = "pkix.certificate_name_constraints_extension_not_critical";

/** Findings above a notice, but for the one that the ADR is about. */
export async function findings({ certificates, crls }: Documents): Promise<readonly string[]> {
  const isAuthority = (name: string) =>
    certificates.some((each) => each.name === name && new X509Certificate(each.pem).ca);
  return aboveNotice(await pkilint([...certificates, ...crls]))
    .filter(({ code, name }) => !(code === NOT_CRITICAL && isAuthority(name)))
    .map(({ name, severity, code, path, message }) => `${name}: ${severity} ${code} ${path} ${message}`);
}
