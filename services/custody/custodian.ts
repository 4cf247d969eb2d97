import type { AuditLog } from "../../custody/audit/log.ts";
import type { KeyStoreFacts } from "../../custody/backends/key-store.ts";
import { sealed } from "../../custody/kem-errors.ts";
import type { Keyring } from "../../custody/keyring/keyring.ts";
import type { Follower } from "../../custody/replicas/follower.ts";
import type { AnswerFollower } from "../../custody/replicas/writer.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { SecurityEventInput, SecurityEvents } from "../runtime/security-events.ts";

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
  /** Answers those that follow. @default nobody follows */
  readonly answerFollower?: AnswerFollower;
  /** Where these keys follow another custody's. @default they are its own */
  readonly follower?: Follower;
  /** Closes keyring, store and log; every key is forgotten. */
  readonly close: () => Promise<void>;
}

/**
 * Why custody is sealed: nobody has unsealed it since it started, somebody sealed it, or it follows and has not heard of the writer
 * since it was unsealed (`waiting`), or for too long (`alone`).
 */
export type SealedBecause = "started" | "ordered" | "waiting" | "alone";

/** Who decides whether keys are open. */
export interface Custodian {
  /** What may be used now; null while sealed. */
  readonly opened: () => OpenKeys | null;
  /** What was unsealed, whether it may be used now or waits for the writer. */
  readonly held: () => OpenKeys | null;
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
    // One that follows says so once it has heard of the writer.
    if (keys.follower === undefined) events.emit(unsealedEvent(actor, keys.keyring.facts));
  }

  const opened = (): OpenKeys | null => (keys?.follower?.fresh() === false ? null : keys);
  return {
    opened,
    held: () => keys,
    sealedBecause: () => {
      if (keys?.follower === undefined) return because;
      return Number.isFinite(keys.follower.ageSeconds()) ? "alone" : "waiting";
    },
    unsealed: () => {
      const usable = opened();
      if (usable === null) throw sealed();
      return usable;
    },
    seal: (actor, reason) => inOrder(() => sealNow(actor, reason)),
    unseal: (actor, passphrase = new Uint8Array()) => inOrder(() => unsealNow(actor, passphrase)),
  };
}

/** That keys may be used from now on. */
export function unsealedEvent(actor: string, { kind, custodyClass }: KeyStoreFacts): SecurityEventInput {
  return { kind: "CUSTODY_UNSEALED", actor, object: "custody", reason: `${kind}, ${custodyClass}` };
}

/** The code alone: a message goes to whoever asked, and not into events. */
function codeOf(thrown: unknown): string {
  return thrown instanceof TrustKernError ? thrown.code : "SERVICE_INTERNAL";
}
