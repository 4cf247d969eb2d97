import { signersErrors } from "../../../certs/signers/errors.ts";
import { createMemorySigner, type KeyRef } from "../../../certs/signers/index.ts";
import type { Curve, KeySigner } from "../../../certs/signers/signer.ts";

/** A PKCS #11 token in memory, for tests in which thousands of keys are opened. */
export class FakeToken {
  readonly keys = new Map<string, KeySigner>();
  /** Called when it has made a key. */
  afterCreate: () => void = () => undefined;
  /** Whether it is there. */
  attached = true;
  readonly device = {
    kind: "pkcs11",
    module: "/usr/lib/fake.so",
    token: "fake",
    pinFile: "/run/pin",
    keyPrefix: "plant",
  } as const;

  create = async (ref: KeyRef, curve: Curve): Promise<KeySigner> => {
    const label = this.labelOf(ref);
    if (this.keys.has(label)) throw signersErrors.error("SIGNER_KEY_EXISTS", "the key is there", { path: label });
    const { signer } = await createMemorySigner(curve, `pkcs11:token=fake;object=${label}`);
    this.keys.set(label, signer);
    this.afterCreate();
    return signer;
  };

  load = async (ref: KeyRef): Promise<KeySigner> => {
    const label = this.labelOf(ref);
    const key = this.keys.get(label);
    if (key === undefined) throw signersErrors.error("SIGNER_KEY_MISSING", "there is no such key", { path: label });
    return key;
  };

  private labelOf(ref: KeyRef): string {
    if (ref.kind !== "pkcs11") throw new TypeError(`the fake token has no ${ref.kind}`);
    if (!this.attached)
      throw signersErrors.error("SIGNER_TOKEN_MISSING", "there is no such token", { path: ref.token });
    return ref.label;
  }
}
