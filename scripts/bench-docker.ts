import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DockerRound, prepareDocker } from "./bench/docker.ts";
import { median } from "./bench/numbers.ts";

// Prints the section of docs/benchmarks.md that needs Docker. Its containers have the names of examples/single-host: one run at a
// time on one machine, and no such deployment beside it.

const ROUNDS = Number(process.argv[2] ?? 3);

const load = (loadavg()[0] ?? 0).toFixed(1);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tk-bench-"));
const bench = await prepareDocker(folder, root);
const rounds: DockerRound[] = [];
try {
  for (let n = 0; n < ROUNDS; n++) rounds.push(await bench.round());
} finally {
  await bench.close();
  rmSync(folder, { recursive: true, force: true });
}

const seconds = (value: number): string => value.toFixed(1);
const middle = (of: (round: DockerRound) => number): number => median(rounds.map(of));

console.log(`
## From images to all healthy

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/bench-docker.ts >> docs/benchmarks.md\` after the images were built, on
${cpus().length} cores; load average before: ${load}. \`examples/single-host\`, ${bench.containers} containers on ${bench.networks} networks, ${ROUNDS} rounds with empty volumes.

- deploy: \`trustkern deploy --wait\` in a folder with \`trustkern.yaml\` and \`images.lock.yaml\` alone, so that it makes every key and
  certificate as well, and prepares OpenTofu
- loop: \`docker network create\` and \`docker run\`, one command after the other, with the same flags; keys, certificates and configuration
  are there before the clock starts. It ends when the same health checks have passed, and the containers are held against the stack
- again: \`trustkern deploy --wait\` where nothing is to be changed
- destroy: \`trustkern destroy --volumes\`

Goal: deploy takes at most 1.5 times as long as the loop.

| round | deploy, s | loop, s | deploy / loop | again, s | destroy, s |
|---|---:|---:|---:|---:|---:|
${rounds.map((r, n) => `| ${n + 1} | ${seconds(r.deploy)} | ${seconds(r.loop)} | ${(r.deploy / r.loop).toFixed(2)} | ${seconds(r.again)} | ${seconds(r.destroy)} |`).join("\n")}
| median | ${seconds(middle((r) => r.deploy))} | ${seconds(middle((r) => r.loop))} | **${middle((r) => r.deploy / r.loop).toFixed(2)}** | ${seconds(middle((r) => r.again))} | ${seconds(middle((r) => r.destroy))} |`);
