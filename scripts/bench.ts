import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LeavesRound, prepareLeaves, type Rate } from "./bench/leaves.ts";
import { median, micros, whole } from "./bench/numbers.ts";
import { coreLimit, opensslSpeed } from "./bench/openssl.ts";
import { measurePipeline } from "./bench/pipeline.ts";
import { prepareVerifyOpen } from "./bench/verify-open.ts";

// Prints docs/benchmarks.md but for what bench-docker.ts appends to it.

const ROUNDS = 5;
const MESSAGES_PER_ROUND = 8192;
const PIPELINE_MESSAGES = 40_000;
const LEAVES_PER_ROUND = 200;
const CORES = 2;

const load = (loadavg()[0] ?? 0).toFixed(1);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tk-bench-"));

// openssl runs between the rounds, so that both see the same machine.
const bench = await prepareVerifyOpen(folder, root, ROUNDS, MESSAGES_PER_ROUND);
const rounds = [];
for (let n = 0; n < ROUNDS; n++) {
  const speed = await opensslSpeed(1);
  const { messages, collectorSeconds, custodySeconds } = await bench.round();
  const perCore = messages / (collectorSeconds + custodySeconds);
  rounds.push({ speed, messages, collectorSeconds, custodySeconds, perCore, ratio: perCore / coreLimit(speed) });
}
await bench.close();
const speed = {
  version: rounds[0]?.speed.version ?? "",
  verify: median(rounds.map((round) => round.speed.verify)),
  x25519: median(rounds.map((round) => round.speed.x25519)),
};
const limit = coreLimit(speed);

const pipeline = await measurePipeline(join(folder, "deployment"), root, PIPELINE_MESSAGES);
const rate = pipeline.messages / pipeline.seconds;
const total = Object.values(pipeline.cpu).reduce((sum, used) => sum + used, 0);
rmSync(folder, { recursive: true });

const issuing = await prepareLeaves(LEAVES_PER_ROUND);
const issued: LeavesRound[] = [];
for (let n = 0; n < ROUNDS; n++) issued.push(await issuing.round());
await issuing.close();
/** A row: the medians of all rounds, and the median of each round's share of what is possible in it. */
const leavesRow = (name: string, what: keyof LeavesRound, limit: keyof LeavesRound): string => {
  const middle = (of: (rate: Rate) => number): string => whole(median(issued.map((each) => of(each[what]))));
  const share = median(issued.map((each) => each[what].perCpuSecond / each[limit].perCpuSecond)).toFixed(3);
  return `| ${name} | ${middle((rate) => rate.perCpuSecond)} | ${middle((rate) => rate.perSecond)} | ${share} |`;
};

console.log(`# Benchmarks

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/bench.ts > docs/benchmarks.md\` on ${cpus().length} cores
(${cpus()[0]?.model.trim()}), Node ${process.versions.node}, ${speed.version}; load average before: ${load}.
The last sections need Docker or more time, and each has a command of its own.

| \`openssl speed ecdsap256 ecdhx25519\`, one core | per second |
|---|---:|
| P-256 verify | ${whole(speed.verify)} |
| X25519 | ${whole(speed.x25519)} |
| one core's limit, 1/(1/verify + 1/x25519) | ${whole(limit)} |

## Verify + open + parse

The collector's threads and the custody process, all CPU time of both counted: ${ROUNDS} rounds of ${whole(rounds[0]?.messages ?? 0)} different
envelopes, \`openssl speed\` between them, so that both see the same machine. Goal: at least 0.65 of a core's limit.

| round | collector, µs CPU per message | custody, µs CPU per message | messages per CPU-second | of the limit |
|---|---:|---:|---:|---:|
${rounds.map((r, n) => `| ${n + 1} | ${micros(r.collectorSeconds, r.messages)} | ${micros(r.custodySeconds, r.messages)} | ${whole(r.perCore)} | ${r.ratio.toFixed(2)} |`).join("\n")}
| median | | | ${whole(median(rounds.map((r) => r.perCore)))} | **${median(rounds.map((r) => r.ratio)).toFixed(2)}** |

## From MQTT in to committed row

A whole embedded deployment and a publisher with four gateways' certificates, each with 1000 envelopes on the way, on the same cores:
${whole(pipeline.messages)} messages in ${pipeline.seconds.toFixed(1)} s, each a row, timed from the first publish to the last receipt. Goal: at least 0.30 of
two cores' limit. This is wall time: a run whose processes had clearly less than ${CORES} cores measures what else ran on the machine.

| messages/s | of ${CORES} cores' limit (${whole(CORES * limit)}/s) | CPU of all processes, µs per message | cores that they had |
|---:|---:|---:|---:|
| ${whole(rate)} | **${(rate / (CORES * limit)).toFixed(2)}** | ${micros(total, pipeline.messages)} | ${(total / pipeline.seconds).toFixed(2)} |

| process | µs CPU per message |
|---|---:|
${Object.entries(pipeline.cpu)
  .map(([name, used]) => `| ${name} | ${micros(used, pipeline.messages)} |`)
  .join("\n")}

## Leaf certificates

${ROUNDS} rounds of ${LEAVES_PER_ROUND} gateways' certificates, everything in turn in each round; medians. Signing alone is node:crypto on as many bytes
as a certificate has that are signed. Real step-ca is asked over HTTPS by eight clients at a time, each request with a token and a
handshake of its own; CPU time is step-ca's alone, while clients and the webhook that allows everything use the same cores.

| what | per CPU-second | per second | of what P-256 allows |
|---|---:|---:|---:|
${[
  leavesRow("sign", "sign", "sign"),
  leavesRow("verify and sign", "verifyAndSign", "sign"),
  leavesRow("make a key and sign", "makeKeyAndSign", "sign"),
  leavesRow("`issueLeaves`, of making a key and signing", "leaves", "makeKeyAndSign"),
  leavesRow("`issueFromCsr`, of verifying and signing", "requests", "verifyAndSign"),
  leavesRow("step-ca, of verifying and signing", "stepCa", "verifyAndSign"),
].join("\n")}`);
process.exit();
