import { type Allowlist, lookup } from "../../../protocol/allowlist.ts";
import { type DecodedEnvelope, decodeEnvelope, envelopeDigest } from "../../../protocol/envelope.ts";
import { hexOf } from "../../../protocol/hex.ts";
import { decideReplay } from "../../../protocol/replay-window.ts";
import { verifyEnvelopeSignature } from "../../../protocol/signature.ts";
import type { Rejection } from "../../../protocol/verdict.ts";
import type { GroupCommit } from "../store/group-commit.ts";
import type { Quarantine } from "../store/quarantine.ts";
import type { ReplayStore } from "../store/replay-store.ts";
import type { Spool } from "../store/spool.ts";

/** What became of an envelope at the gateway. `unavailable` says nothing about it: the sensor tries again. */
export type IntakeResult =
  | { readonly kind: "accepted"; readonly sensorId: string }
  | {
      readonly kind: "rejected";
      readonly verdict: Rejection;
      readonly sensorId: string | null;
      readonly digest: string;
    }
  | { readonly kind: "unavailable"; readonly reason: "no-allowlist" | "allowlist-too-old" | "spool-full" | "database" };

/** The allowlist that is in force now. */
export interface TrustView {
  readonly current: () => Allowlist | undefined;
  /** Whether no fresh allowlist has come for longer than is allowed. */
  readonly isTooOld: () => boolean;
}

/** What {@link createIntake} is handed. */
export interface IntakeOptions {
  readonly trust: TrustView;
  readonly commit: GroupCommit;
  readonly spool: Spool;
  readonly replay: ReplayStore;
  readonly quarantine: Quarantine;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told about a transaction that failed. */
  readonly onError: (error: unknown) => void;
}

/** Takes one envelope from a source address: checks it, and has it on disk when it says `accepted`. */
export type Intake = (bytes: Uint8Array, source: string) => Promise<IntakeResult>;

type Check =
  | { readonly kind: "verified"; readonly decoded: DecodedEnvelope; readonly sensorId: string }
  | { readonly kind: "rejected"; readonly verdict: Rejection; readonly sensorId: string | null }
  | { readonly kind: "unavailable"; readonly reason: "no-allowlist" | "allowlist-too-old" };

/** Makes the checks of the specification in their order, up to `duplicate`. */
export function createIntake({ trust, commit, spool, replay, quarantine, now, onError }: IntakeOptions): Intake {
  /** All checks that touch no anti-replay state. */
  function check(bytes: Uint8Array): Check {
    const decoded = decodeEnvelope(bytes);
    if (!decoded.ok) return { kind: "rejected", verdict: decoded.verdict, sensorId: null };
    const sensorId = hexOf(decoded.envelope.sensorId);
    const allowlist = trust.current();
    if (!allowlist) return { kind: "unavailable", reason: "no-allowlist" };
    const entry = lookup(allowlist, sensorId);
    if (entry.kind === "revoked") return { kind: "rejected", verdict: "revoked-sensor", sensorId };
    // A sensor that is new here may stand on a newer list: no word about it until that list has come.
    if (trust.isTooOld() && !replay.knows(sensorId)) return { kind: "unavailable", reason: "allowlist-too-old" };
    if (entry.kind === "unknown") return { kind: "rejected", verdict: "unknown-sensor", sensorId };
    if (!verifyEnvelopeSignature(entry.publicKey, decoded.signedBytes, decoded.envelope.signature))
      return { kind: "rejected", verdict: "bad-signature", sensorId };
    return { kind: "verified", decoded, sensorId };
  }

  /** Window and spool row, inside the caller's transaction. */
  function accept(sensorId: string, { envelope }: DecodedEnvelope, digest: Uint8Array, bytes: Uint8Array) {
    const { verdict, next } = decideReplay(replay.load(sensorId), envelope.bootId, envelope.seq, hexOf(digest));
    if (verdict !== "accepted") return verdict;
    if (!spool.add(sensorId, digest, bytes)) return "spool-full";
    replay.save(sensorId, next);
    return "accepted";
  }

  async function reject(
    verdict: Rejection,
    sensorId: string | null,
    digest: Uint8Array,
    bytes: Uint8Array,
    source: string,
  ): Promise<IntakeResult> {
    // The verdict stands whether or not there is room to keep the evidence.
    if (verdict !== "duplicate")
      await commit.run(() => quarantine.add({ receivedAtMs: now(), verdict, source, digest, bytes })).catch(onError);
    return { kind: "rejected", verdict, sensorId, digest: hexOf(digest) };
  }

  return async (bytes, source) => {
    const digest = envelopeDigest(bytes);
    const checked = check(bytes);
    if (checked.kind === "unavailable") return checked;
    if (checked.kind === "rejected") return reject(checked.verdict, checked.sensorId, digest, bytes, source);
    const { sensorId, decoded } = checked;
    try {
      const outcome = await commit.run(() => accept(sensorId, decoded, digest, bytes));
      if (outcome === "accepted") return { kind: "accepted", sensorId };
      if (outcome === "spool-full") return { kind: "unavailable", reason: "spool-full" };
      return await reject(outcome, sensorId, digest, bytes, source);
    } catch (error) {
      onError(error);
      return { kind: "unavailable", reason: "database" };
    }
  };
}
