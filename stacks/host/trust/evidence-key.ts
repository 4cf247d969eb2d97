import type { KeyObject } from "node:crypto";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import type { Deployment } from "../../../model/deployment.ts";
import type { Layout } from "../layout.ts";
import { trustErrors } from "./errors.ts";
import { trustFiles } from "./place.ts";
import { openSigningKey, pinKey, pinnedKey, type SigningKey, type SigningKeyPlace } from "./signing-key.ts";

/**
 * The key that signs evidence; makes it for the first.
 * @throws EVIDENCE_SIGNER_DIFFERS when another one is pinned, and what {@link openSigningKey} throws
 */
export function openEvidenceKey(
  layout: Pick<Layout, "dir">,
  place: SigningKeyPlace,
  { pki }: Pick<Deployment, "pki">,
): Promise<KeySigner> {
  return openSigningKey(evidenceKey(layout), place, { stateDir: layout.dir, pki });
}

/** Pins the key of the first evidence, once that is to be written. */
export function pinEvidenceKey(layout: Pick<Layout, "dir">, signer: KeySigner): void {
  pinKey(evidenceKey(layout), signer);
}

/**
 * The key that is pinned, or undefined where no evidence was ever signed.
 * @throws STATE_CORRUPT
 */
export function pinnedEvidenceKey(layout: Pick<Layout, "dir">): KeyObject | undefined {
  return pinnedKey(evidenceKey(layout));
}

function evidenceKey(layout: Pick<Layout, "dir">): SigningKey {
  const { evidenceKey: keyFile, evidenceSigner: pinFile } = trustFiles(layout);
  return {
    name: "evidence",
    option: "--evidence-key",
    keyFile,
    pinFile,
    differs: (message) => trustErrors.error("EVIDENCE_SIGNER_DIFFERS", message, { path: pinFile }),
  };
}
