import type { ProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import type { Recipient } from "../../../protocol/seal.ts";
import type { SensorUpdate } from "../../../protocol/update.ts";

/** A recipient key as a sensor remembers it. */
interface KnownRecipient {
  readonly keyId: string;
  readonly publicKey: string;
  readonly notBeforeMs: number;
}

/** The recipients of a provisioning bundle, as a sensor's memory keeps them. */
export function recipientsOfBundle({ recipient }: ProvisioningBundle): string {
  return render(
    recipient.map(({ key_id, public_key, not_before }) => ({
      keyId: key_id,
      publicKey: public_key,
      notBeforeMs: Date.parse(not_before),
    })),
  );
}

/** The recipients of a signed update, as a sensor's memory keeps them. */
export function recipientsOfUpdate({ keys }: SensorUpdate): string {
  return render(
    keys.map(({ keyId, publicKey, notBeforeMs }) => ({
      keyId: Buffer.from(keyId).toString("hex"),
      publicKey: Buffer.from(publicKey).toString("hex"),
      notBeforeMs,
    })),
  );
}

function render(recipients: readonly KnownRecipient[]): string {
  return JSON.stringify([...recipients].sort((a, b) => a.notBeforeMs - b.notBeforeMs));
}

/** The key to seal to now: the newest that is due, or the first one while none is. */
export function recipientAt(memory: string, nowMs: number): Recipient {
  const known = JSON.parse(memory) as readonly KnownRecipient[];
  const recipient = known.findLast(({ notBeforeMs }) => notBeforeMs <= nowMs) ?? known[0];
  if (!recipient) throw new Error("a sensor that has joined holds at least one recipient key");
  return { keyId: Buffer.from(recipient.keyId, "hex"), publicKey: Buffer.from(recipient.publicKey, "hex") };
}
