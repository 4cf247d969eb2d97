import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { orCancelled } from "../../host/cancel.ts";
import { collectorVerify } from "./collector-verify.ts";
import { decryptStore } from "./decrypt-store.ts";
import { gatewayVerify } from "./gateway-verify.ts";
import { join } from "./join.ts";
import { keyGenesis } from "./key-genesis.ts";
import { mqttsPublish } from "./mqtts-publish.ts";
import { provisioning } from "./provisioning.ts";
import { radioOff } from "./radio-off.ts";
import { signEncrypt } from "./sign-encrypt.ts";
import type { ProofContext, Step, StepId } from "./step.ts";

const STEPS: readonly Step[] = [
  keyGenesis,
  provisioning,
  radioOff,
  join,
  signEncrypt,
  gatewayVerify,
  mqttsPublish,
  collectorVerify,
  decryptStore,
];

/** What became of a step. */
export interface StepResult {
  readonly id: StepId;
  readonly ok: boolean;
  /** What was observed, or why it is not proven. */
  readonly proof: string;
  /** Duration in milliseconds. */
  readonly ms: number;
}

/**
 * Runs the nine steps in order, each on what the one before left; a step that is not proven does not stop the next.
 * @throws DEPLOY_CANCELLED as soon as `signal` aborts
 */
export async function* proveSteps(
  context: ProofContext,
  now: () => number,
  signal: AbortSignal,
): AsyncGenerator<StepResult> {
  for (const step of STEPS) {
    const started = now();
    const result = step.prove(context).then(
      (seen) => [true, seen] as const,
      (thrown: unknown) => [false, reasonOf(thrown)] as const,
    );
    const [ok, proof] = await orCancelled(result, signal);
    yield { id: step.id, ok, proof, ms: now() - started };
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof TrustKernError && thrown.code !== "PROOF_FAILED"
    ? `${thrown.code}: ${thrown.message}`
    : messageOf(thrown);
}
