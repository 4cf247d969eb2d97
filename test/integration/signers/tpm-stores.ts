import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKeyStore } from "../../../custody/backends/index.ts";
import type { Tpm2StoreRef } from "../../../custody/backends/tpm2.ts";
import { SoftTpm } from "./soft-tpm.ts";

/** Stores of decryption keys that a TPM of swtpm seals. */
export class TpmStores {
  readonly tpm = new SoftTpm();
  readonly folder = mkdtempSync(join(tmpdir(), "tk-custody-tpm2-"));
  #count = 0;

  /** A store that is not made yet. */
  name(pcrs = "sha256:0,2,4,7"): Tpm2StoreRef {
    this.#count += 1;
    return { kind: "tpm2", device: this.tpm.device, folder: join(this.folder, `store-${this.#count}`), pcrs };
  }

  /** A closed store with one key. */
  async filled(pcrs?: string): Promise<Tpm2StoreRef> {
    const ref = this.name(pcrs);
    const store = await openKeyStore(ref);
    await store.generate();
    await store.close();
    return ref;
  }

  /** Starts the TPM, and measures what a host does. */
  async start(): Promise<void> {
    await this.tpm.start();
    for (const register of [0, 2, 4, 7]) this.tpm.extend(register);
  }

  async remove(): Promise<void> {
    await this.tpm.remove();
    rmSync(this.folder, { recursive: true });
  }
}
