import { type CustodyManagement, MANAGE_MS } from "../custody-management.ts";
import { healthOf } from "./unseal.ts";

/** What an order to seal came to. */
export interface SealReport {
  /** Whether all that answered were sealed before. */
  readonly wasSealed: boolean;
  /** How many answered. */
  readonly answered: number;
  /** What the first one said that did not; the others are sealed nevertheless. */
  readonly failure: unknown;
}

/**
 * Has every custody forget its keys. One that is away keeps none of the others open.
 * @param order who and why, for records; nobody is ordered anything where `dryRun`
 */
export async function sealAll(
  managements: readonly Pick<CustodyManagement, "call">[],
  { dryRun, ...order }: { readonly actor: string; readonly reason: string; readonly dryRun: boolean },
): Promise<SealReport> {
  const outcomes = await Promise.allSettled(
    managements.map(async (management) => {
      const { sealed } = await healthOf(management);
      if (!dryRun) await management.call("seal", order, MANAGE_MS);
      return sealed;
    }),
  );
  const before = outcomes.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = outcomes.find((each) => each.status === "rejected");
  return { wasSealed: before.every((sealed) => sealed), answered: before.length, failure: failed?.reason };
}
