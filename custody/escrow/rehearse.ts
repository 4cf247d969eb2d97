import { randomBytes } from "node:crypto";
import {
  hpkeDecapsulate,
  hpkeSeal,
  importX25519Private,
  openWithSharedSecret,
  TELEMETRY_INFO,
} from "../../protocol/hpke.ts";
import { escrowErrors } from "./errors.ts";
import type { EscrowFile } from "./escrow-file.ts";
import { recover } from "./recover.ts";
import { type EscrowSecrets, wipe } from "./secrets.ts";

const NOTHING = new Uint8Array();

/**
 * Seals a random message to the public key that an escrow file names, as sensors do, and opens it with what was restored.
 * @throws CUSTODY_ESCROW_CORRUPT
 */
export function prove({ keyId, publicKey }: EscrowFile, { privateKey }: EscrowSecrets): void {
  const message = randomBytes(32);
  const { enc, ciphertext } = hpkeSeal(Buffer.from(publicKey, "hex"), TELEMETRY_INFO, NOTHING, message);
  const shared = hpkeDecapsulate(importX25519Private(privateKey), enc);
  const opened = openWithSharedSecret(shared, TELEMETRY_INFO, NOTHING, ciphertext);
  if (opened !== null && message.equals(opened)) return;
  throw escrowErrors.error("CUSTODY_ESCROW_CORRUPT", `what was restored does not open a message to ${keyId}`);
}

/**
 * Restores from as many quorums as it takes for every share to have been in one, and proves each.
 * @throws CUSTODY_ESCROW_CORRUPT
 */
export async function rehearseAll(
  escrow: EscrowFile,
  texts: readonly { readonly index: number; readonly text: string }[],
): Promise<void> {
  const given = texts.map(({ index, text }) => ({ source: `share ${index}`, text }));
  for (let at = 0; at < given.length; at += escrow.threshold) {
    const from = Math.min(at, given.length - escrow.threshold);
    const { secrets } = await recover(escrow, given.slice(from, from + escrow.threshold));
    try {
      prove(escrow, secrets);
    } finally {
      wipe(secrets);
    }
  }
}
