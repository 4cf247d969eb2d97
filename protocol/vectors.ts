import { stableJson } from "../shared/stable-json.ts";
import { decideOrder, type SensorOrder } from "./collector-order.ts";
import { envelopeDigest } from "./envelope.ts";
import { hexOf } from "./hex.ts";
import { importX25519Private } from "./hpke.ts";
import { judgeContent, judgeOrigin, type RecipientKey, type SensorTrust } from "./judge.ts";
import { decideReplay, type ReplayState } from "./replay-window.ts";
import { importP256Point } from "./signature.ts";
import type { VectorCase, VectorsFile } from "./vectors-file.ts";
import type { Verdict } from "./verdict.ts";

/** One known answer beside what this implementation decided. */
export interface CheckedCase {
  readonly name: string;
  readonly expected: Verdict;
  readonly verdict: Verdict;
  readonly ok: boolean;
  /** What differs where the verdicts agree. */
  readonly differs?: "payload" | "late";
}

/** Result of `trustkern envelope check`. */
export interface EnvelopeCheckReport {
  readonly schema: "trustkern.envelope-check/1";
  readonly single: readonly CheckedCase[];
  readonly sequence: { readonly gateway: readonly CheckedCase[]; readonly collector: readonly CheckedCase[] };
  readonly mismatches: number;
}

interface Outcome {
  readonly verdict: Verdict;
  readonly payload?: unknown;
  readonly late?: boolean;
}

type Receiver = (envelope: Buffer) => Outcome;

interface Keys {
  readonly trustOf: (sensorId: string) => SensorTrust;
  readonly recipient: RecipientKey;
}

/** Runs every case of a file, and compares verdicts, payloads and `late`. */
export function checkVectors(file: VectorsFile): EnvelopeCheckReport {
  const keys = keysOf(file);
  const single = file.single.map((expected) => compare(expected, collector(keys)));
  const sequence = {
    gateway: inOrder(file.sequence.gateway, gateway(keys)),
    collector: inOrder(file.sequence.collector, collector(keys)),
  };
  const mismatches = [...single, ...sequence.gateway, ...sequence.collector].filter(({ ok }) => !ok).length;
  return { schema: "trustkern.envelope-check/1", single, sequence, mismatches };
}

/** The public keys and the recipient key of a file, as an envelope's judge wants them. */
export function keysOf({ allowlist, recipient }: VectorsFile): Keys {
  const known = new Map(
    allowlist.map(({ sensor_id, public_key }) => [
      sensor_id,
      { kind: "known", publicKey: importP256Point(Buffer.from(public_key, "hex")) } as const,
    ]),
  );
  return {
    trustOf: (sensorId) => known.get(sensorId) ?? { kind: "unknown" },
    recipient: { keyId: recipient.key_id, privateKey: importX25519Private(Buffer.from(recipient.private_key, "hex")) },
  };
}

/** A gateway with fresh state. */
function gateway({ trustOf }: Keys): Receiver {
  const states = new Map<string, ReplayState>();
  return (bytes) => {
    const origin = judgeOrigin(bytes, trustOf);
    if (!origin.ok) return origin;
    const { bootId, seq } = origin.decoded.envelope;
    const { verdict, next } = decideReplay(states.get(origin.sensorId), bootId, seq, hexOf(envelopeDigest(bytes)));
    states.set(origin.sensorId, next);
    return { verdict };
  };
}

/** A collector with fresh state, and a clock that stands still. */
function collector({ trustOf, recipient }: Keys): Receiver {
  const states = new Map<string, SensorOrder>();
  return (bytes) => {
    const origin = judgeOrigin(bytes, trustOf);
    if (!origin.ok) return origin;
    const content = judgeContent(origin.decoded, recipient);
    if (!content.ok) return content;
    const { bootId, seq } = origin.decoded.envelope;
    const message = { bootId, seq, digest: hexOf(envelopeDigest(bytes)), nowMs: 0 };
    const { verdict, late, next } = decideOrder(states.get(origin.sensorId), message);
    states.set(origin.sensorId, next);
    return verdict === "accepted" ? { verdict, late, payload: content.payload } : { verdict };
  };
}

function inOrder(cases: readonly VectorCase[], receiver: Receiver): readonly CheckedCase[] {
  return cases.map((expected) => compare(expected, receiver));
}

function compare(expected: VectorCase, receiver: Receiver): CheckedCase {
  const outcome = receiver(Buffer.from(expected.envelope, "hex"));
  const differs = difference(expected, outcome);
  const ok = outcome.verdict === expected.verdict && differs === undefined;
  const base = { name: expected.name, expected: expected.verdict, verdict: outcome.verdict, ok };
  return differs === undefined ? base : { ...base, differs };
}

function difference(expected: VectorCase, outcome: Outcome): CheckedCase["differs"] {
  if (expected.verdict !== outcome.verdict) return undefined;
  if (expected.late !== (outcome.late ?? false)) return "late";
  const comparable = expected.payload !== undefined && stableJson(expected.payload) !== stableJson(outcome.payload);
  return comparable ? "payload" : undefined;
}
