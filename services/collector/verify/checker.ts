import type { KemItem, KemResult } from "../../../custody/kem.ts";
import type { AllowlistEntry } from "../../../protocol/allowlist.ts";
import { type DecodedEnvelope, envelopeDigest } from "../../../protocol/envelope.ts";
import { checkEnvelope, kemItemOf, openEnvelope } from "./check.ts";
import type { CheckResult, PackedMessage } from "./packing.ts";

/** What a batch is checked with. */
export interface BatchCheck {
  readonly lookup: (sensorId: string) => AllowlistEntry;
  /** Whether the allowlist is known to be newer than every message of the batch; only then is there `unknown-sensor`. */
  readonly fresh: boolean;
  readonly openKem: (items: readonly KemItem[]) => Promise<readonly KemResult[]>;
  /** Told what a check threw. A message whose check cannot run gets no verdict. */
  readonly onFault: (thrown: unknown) => void;
}

/** Runs every check of the collector on a batch; all of its KEM ciphertexts go to custody in one request. */
export async function checkBatch(
  messages: readonly PackedMessage[],
  check: BatchCheck,
): Promise<readonly CheckResult[]> {
  const first = messages.map((message) => guarded(() => verify(message, check), message, check));
  const verified = first.filter((result): result is Verified => "decoded" in result);
  const opened = await check.openKem(verified.map(({ decoded }) => kemItemOf(decoded.envelope)));
  let next = 0;
  return first.map((result, index): CheckResult => {
    if (!("decoded" in result)) return result;
    const kem = opened[next++];
    return guarded(() => finish(result, kem), messages[index] as PackedMessage, check);
  });
}

interface Verified {
  readonly digest: Uint8Array;
  readonly decoded: DecodedEnvelope;
}

function verify({ bytes, sensorId }: PackedMessage, { lookup, fresh }: BatchCheck): CheckResult | Verified {
  const digest = envelopeDigest(bytes);
  const checked = checkEnvelope(bytes, sensorId, lookup);
  if (checked.kind === "verified") return { digest, decoded: checked.decoded };
  if (checked.kind === "rejected") return { digest, outcome: checked.verdict };
  return { digest, outcome: fresh ? "unknown-sensor" : "unlisted" };
}

function finish({ digest, decoded }: Verified, kem: KemResult | undefined): CheckResult {
  if (kem === undefined) throw new Error("custody gave no result for an item");
  const opened = openEnvelope(decoded, kem);
  if (opened.kind === "rejected") return { digest, outcome: opened.verdict };
  const { bootId, seq, timestamp, flags, keyId } = opened.envelope;
  return { digest, outcome: "accepted", fields: { bootId, seq, timestamp, flags, keyId, payload: opened.payload } };
}

function guarded<T>(run: () => T, { bytes }: PackedMessage, { onFault }: BatchCheck): T | CheckResult {
  try {
    return run();
  } catch (thrown) {
    onFault(thrown);
    return { digest: envelopeDigest(bytes), outcome: "fault" };
  }
}
