import { removeFolders } from "../operations/bundle/format/test-bundle.ts";
import { mutate } from "../test/support/bundle-mutations/campaign.ts";
import { mutationSubject } from "../test/support/bundle-mutations/subject.ts";

// Mutates a signed bundle and has each mutant verified, as a site does it; ends with 1 when one was taken.
// node scripts/bundle-mutations.ts [mutants] [first seed]

const [, , count = "1000000", firstSeed = "1"] = process.argv;
const started = performance.now();
try {
  const subject = await mutationSubject();
  const { tried, same, codes, taken } = await mutate(subject, Number(count), Number(firstSeed));
  const seconds = (performance.now() - started) / 1000;
  console.log(`${tried - taken.length} of ${tried} refused, ${same} were the bundle itself, ${seconds.toFixed(0)} s`);
  for (const [code, times] of [...codes].toSorted(([, a], [, b]) => b - a)) console.log(`  ${code}: ${times}`);
  for (const { seed, operator, at } of taken) console.log(`  TAKEN: seed ${seed}, ${operator}, from byte ${at} on`);
  process.exitCode = taken.length === 0 ? 0 : 1;
} finally {
  removeFolders();
}
