/** Weakens rendered stacks by `--count` seeds from `--from` on, by every operator in turn, and prints what no check caught. */
import { argv } from "zx";
import { BLIND_OPERATORS } from "../test/support/weakenings/blind.ts";
import { NAMED_OPERATORS, weaken } from "../test/support/weakenings/campaign.ts";

const count = Number(argv.count ?? 5000);
const firstSeed = Number(argv.from ?? 1);
for (const [what, operators] of Object.entries({ named: NAMED_OPERATORS, blind: BLIND_OPERATORS })) {
  const { tried, caught, equivalent, missed } = weaken({ operators, count, firstSeed });
  console.log(
    `${what}: ${caught} of ${tried} caught (${((100 * caught) / tried).toFixed(2)} %), ${equivalent} changed nothing`,
  );
  for (const miss of missed) console.log(`  not caught: ${JSON.stringify(miss)}`);
}
