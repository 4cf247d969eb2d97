import { performance } from "node:perf_hooks";
import { median } from "./numbers.ts";
import { ENGINES } from "./synth-engines.ts";

// One process of scripts/bench-synth.ts: renders a deployment, and then again. Prints what each took, as JSON.

const AGAIN = 15;
const MIB = 1024;

const [engine = "", folder = ""] = process.argv.slice(2);
const make = ENGINES[engine];
if (make === undefined) throw new Error(`"${engine}" is none of ${Object.keys(ENGINES).join(", ")}`);
const synthesise = await make(folder);
const { components, text = "" } = await synthesise();
// The clock of a process begins with it.
const cold = performance.now();
const coldMemory = process.resourceUsage().maxRSS / MIB;
const warm: number[] = [];
for (let n = 0; n < AGAIN; n++) {
  const before = performance.now();
  await synthesise();
  warm.push(performance.now() - before);
}
const memory = process.resourceUsage().maxRSS / MIB;
process.stdout.write(JSON.stringify({ components, bytes: text.length, cold, coldMemory, warm: median(warm), memory }));
process.exit();
