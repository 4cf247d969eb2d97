import type { X509Certificate } from "node:crypto";
import { DEVICE_UNIT, LEAF_CLASSES, type LeafClass } from "./names.ts";
import { MAKER_NAME } from "./subject.ts";

/** What a certificate is for, by who issued it. */
export type CertificateClass = LeafClass | typeof DEVICE_UNIT | "authority" | "foreign";

/** The class of a certificate, by the name of its issuer. Says nothing about whether the issuer did sign it. */
export function classOf({ ca, issuer }: Pick<X509Certificate, "ca" | "issuer">): CertificateClass {
  return ca ? "authority" : (classOfIssuer(commonName(issuer)) ?? "foreign");
}

/** The class of the leaves that an authority of this common name issues, or undefined when it issues none. */
export function classOfIssuer(name: string): LeafClass | typeof DEVICE_UNIT | undefined {
  return name.startsWith(MAKER_NAME) ? DEVICE_UNIT : LEAF_CLASSES.find((each) => name === `TrustKern ${each}`);
}

/** The first common name of a name that `node:crypto` printed, one `KEY=value` on each line; empty without one. */
export function commonName(name: string): string {
  return valuesOf(name, "CN")[0] ?? "";
}

/** Every value of an attribute of a name that `node:crypto` printed, one `KEY=value` on each line. */
export function valuesOf(name: string, attribute: string): string[] {
  const lines = name.split("\n").map((line) => line.split("="));
  return lines.flatMap(([key, ...value]) => (key === attribute ? [value.join("=")] : []));
}
