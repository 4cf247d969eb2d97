import { type Deal, deal } from "./deal.ts";
import type { GivenShare } from "./recover.ts";
import { type EscrowSecrets, makeSecrets } from "./secrets.ts";
import { renderShare } from "./share.ts";

const TIME = "2026-11-21T08:00:00.000Z";

/** Deals secrets to so many holders, for tests. */
export function dealTo(threshold: number, total: number, of: Partial<TestDeal> = {}): Promise<Deal> {
  const { secrets = makeSecrets(), tenant = "acme" } = of;
  const holders = Array.from({ length: total }, (_, at) => ({ name: `h${at + 1}`, operator: "customer" as const }));
  return deal({ secrets, tenant, threshold, holders, createdAt: TIME, dealtAt: TIME });
}

interface TestDeal {
  readonly secrets: EscrowSecrets;
  readonly tenant: string;
}

/** The shares of a deal as their holders bring them, by their numbers; named `s<number>`. */
export function bring({ shares }: Deal, ...numbers: readonly number[]): readonly GivenShare[] {
  return shares
    .filter(({ share }) => numbers.length === 0 || numbers.includes(share.index))
    .map(({ share }) => ({ source: `s${share.index}`, text: renderShare(share) }));
}
