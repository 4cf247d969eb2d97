import type { Curve } from "../signers/signer.ts";
import { ceremonyErrors } from "./errors.ts";

/** The public half of an authority's key, as a ceremony looks at it. */
export interface AuthorityKey {
  /** `root`, a class of leaves, or `maker-<maker>`. */
  readonly id: string;
  /** DER (RFC 5480). */
  readonly publicKeySpki: Buffer;
  readonly curve: Curve;
  /** Where its private half is. */
  readonly where: string;
}

/**
 * Refuses a key on another curve than its authority has, and one key for two authorities.
 * @throws CEREMONY_CURVE, CEREMONY_KEY_REUSED
 */
export function assertKeys(keys: readonly AuthorityKey[], acceptP256Root: boolean): void {
  const seen = new Map<string, string>();
  for (const { id, curve, publicKeySpki, where } of keys) {
    const wanted = id === "root" ? "P-384" : "P-256";
    if (curve !== wanted && !(id === "root" && acceptP256Root)) {
      throw ceremonyErrors.error("CEREMONY_CURVE", `the key of ${id} is on ${curve} (${where}); accepted: ${wanted}`, {
        path: id,
      });
    }
    const spki = publicKeySpki.toString("hex");
    const other = seen.get(spki);
    if (other !== undefined) {
      throw ceremonyErrors.error("CEREMONY_KEY_REUSED", `${other} and ${id} have the same key`, { path: id });
    }
    seen.set(spki, id);
  }
}
