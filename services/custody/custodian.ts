import type { AuditLog } from "../../custody/audit/log.ts";
import { sealed } from "../../custody/kem-errors.ts";
import type { Keyring } from "../../custody/keyring/keyring.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";

/** What is in this process's hands while it is unsealed. */
export interface OpenKeys {
  readonly keyring: Keyring;
  readonly audit: AuditLog;
  /** Public key of the store's signer, which vouches for the sessions of the log: P-256, SPKI in DER. */
  readonly signerSpki: Uint8Array;
  /**
   * Custody's signed word that a generation is compromised, for who asks, once that is on record: a DSSE envelope.
   * @throws CUSTODY_GENERATION_UNKNOWN, CUSTODY_GENERATION_STATE, and what the audit log throws
   */
  readonly attest: (keyId: string, actor: string) => Promise<string>;
  /** Closes keyring, store and log; every key is forgotten. */
  readonly close: () => Promise<void>;
}

/** Why custody is sealed: nobody has unsealed it since it started, or somebody sealed it. */
export type SealedBecause = "started" | "ordered";

/** Who decides whether keys are open. */
export interface Custodian {
  /** null while sealed. */
  readonly opened: () => OpenKeys | null;
  /** Of the last sealing; it means something while sealed alone. */
  readonly sealedBecause: () => SealedBecause;
  /** @throws CUSTODY_SEALED */
  readonly unsealed: () => OpenKeys;
  /** Forgets every key until {@link unseal}; records it where the log can still be written, and seals in any case. */
  readonly seal: (actor: string, reason: string) => Promise<void>;
  /**
   * Opens the store anew. What it throws leaves custody sealed.
   * @param passphrase of a file store that waits for a person, which stays the caller's to overwrite; empty for none
   */
  readonly unseal: (actor: string, passphrase?: Uint8Array) => Promise<void>;
}

/** What {@link createCustodian} works with. */
export interface CustodianOptions {
  readonly open: (passphrase: Uint8Array) => Promise<OpenKeys>;
  readonly events: Pick<SecurityEvents, "emit">;
}

/** A sealed custodian; its changes happen one after the other. */
export function createCustodian({ open, events }: CustodianOptions): Custodian {
  let keys: OpenKeys | null = null;
  let because: SealedBecause = "started";
  let last: Promise<void> = Promise.resolve();

  function inOrder(change: () => Promise<void>): Promise<void> {
    const done = last.then(change);
    last = done.catch(() => undefined);
    return done;
  }

  async function sealNow(actor: string, reason: string): Promise<void> {
    const closing = keys;
    because = "ordered";
    if (closing === null) return;
    keys = null;
    const recorded = await closing.audit.append({ kind: "sealed", actor, detail: { reason } }).then(
      () => "recorded",
      (thrown: unknown) => `unrecorded: ${codeOf(thrown)}`,
    );
    await closing.close();
    events.emit({ kind: "CUSTODY_SEALED", actor, object: "custody", reason: `${reason}, ${recorded}` });
  }

  async function unsealNow(actor: string, passphrase: Uint8Array): Promise<void> {
    if (keys !== null) return;
    try {
      keys = await open(passphrase);
    } catch (thrown) {
      events.emit({ kind: "CUSTODY_UNSEAL_FAILED", actor, object: "custody", reason: codeOf(thrown) });
      throw thrown;
    }
    const { kind, custodyClass } = keys.keyring.facts;
    events.emit({ kind: "CUSTODY_UNSEALED", actor, object: "custody", reason: `${kind}, ${custodyClass}` });
  }

  return {
    opened: () => keys,
    sealedBecause: () => because,
    unsealed: () => {
      if (keys === null) throw sealed();
      return keys;
    },
    seal: (actor, reason) => inOrder(() => sealNow(actor, reason)),
    unseal: (actor, passphrase = new Uint8Array()) => inOrder(() => unsealNow(actor, passphrase)),
  };
}

/** The code alone: a message goes to whoever asked, and not into events. */
function codeOf(thrown: unknown): string {
  return thrown instanceof TrustKernError ? thrown.code : "SERVICE_INTERNAL";
}
