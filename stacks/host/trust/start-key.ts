import type { KeyObject } from "node:crypto";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import type { Deployment } from "../../../model/deployment.ts";
import type { Layout } from "../layout.ts";
import { trustErrors } from "./errors.ts";
import { trustFiles } from "./place.ts";
import { openSigningKey, pinKey, pinnedKey, type SigningKey, type SigningKeyPlace } from "./signing-key.ts";

/**
 * The key that signs start manifests; makes it at the first deploy.
 * @throws START_SIGNER_DIFFERS when another one is pinned, and what {@link openSigningKey} throws
 */
export function openStartKey(
  layout: Layout,
  place: SigningKeyPlace,
  { pki }: Pick<Deployment, "pki">,
): Promise<KeySigner> {
  return openSigningKey(startKey(layout), place, { stateDir: layout.dir, pki });
}

/** Pins the key of the first manifest, once that is to be written. */
export function pinStartKey(layout: Layout, signer: KeySigner): void {
  pinKey(startKey(layout), signer);
}

/**
 * The key that is pinned, or undefined where no manifest was ever signed.
 * @throws STATE_CORRUPT
 */
export function pinnedStartKey(layout: Layout): KeyObject | undefined {
  return pinnedKey(startKey(layout));
}

function startKey(layout: Layout): SigningKey {
  const { key, signer } = trustFiles(layout);
  return {
    name: "start",
    option: "--start-key",
    keyFile: key,
    pinFile: signer,
    differs: (message) => trustErrors.error("START_SIGNER_DIFFERS", message, { path: signer }),
  };
}
