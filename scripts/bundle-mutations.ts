import { cpus, loadavg } from "node:os";
import { removeFolders } from "../operations/bundle/format/test-bundle.ts";
import { type Campaign, mutate } from "../test/support/bundle-mutations/campaign.ts";
import { mutationSubject } from "../test/support/bundle-mutations/subject.ts";
import { whole } from "./bench/numbers.ts";

// Mutates a signed bundle, has each mutant verified as a site does it, and prints the section of docs/benchmarks.md; ends with 1 when one
// was taken.
// node scripts/bundle-mutations.ts [mutants] [first seed]

const [, , count = "1000000", firstSeed = "1"] = process.argv;
const load = (loadavg()[0] ?? 0).toFixed(1);
const started = performance.now();
const secondsSince = (): string => ((performance.now() - started) / 1000).toFixed(0);
try {
  const campaign = await mutate(await mutationSubject(), Number(count), Number(firstSeed), (tried) => {
    if (tried % 10_000 === 0) process.stderr.write(`${tried}/${count}, ${secondsSince()} s\n`);
  });
  console.log(section(campaign));
  for (const { seed, operator, at } of campaign.taken)
    console.log(`TAKEN: seed ${seed}, ${operator}, from byte ${at} on`);
  process.exitCode = campaign.taken.length === 0 ? 0 : 1;
} finally {
  removeFolders();
}

function section({ tried, same, taken, codes, refusedBy }: Campaign): string {
  const rows = (counted: ReadonlyMap<string, number>): string =>
    [...counted]
      .toSorted(([, a], [, b]) => b - a)
      .map(([what, times]) => `| ${what} | ${whole(times)} |`)
      .join("\n");
  return `
## Mutated bundles

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/bundle-mutations.ts ${count} ${firstSeed} >> docs/benchmarks.md\` on ${cpus().length} cores;
load average before: ${load}. Of ${whole(tried)} mutants of a signed bundle, drawn from seed ${firstSeed} on, **${whole(tried - taken.length)} were refused and ${whole(taken.length)} taken**, in
${secondsSince()} s; ${whole(same)} more were the bundle itself. Keys are made anew for each run.

| refused with | mutants |
|---|---:|
${rows(codes)}

| what was done to them | refused |
|---|---:|
${rows(refusedBy)}`;
}
