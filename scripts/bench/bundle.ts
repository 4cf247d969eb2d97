import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { text } from "node:stream/consumers";

/** What is measured on: one bundle, and the same images in a Docker Engine. */
export interface BundleBench {
  /** Folder for what is made, empty before each measure. */
  readonly folder: string;
  /** The command line's program, of this clone. */
  readonly main: string;
  /** Runs the command line; throws when it fails. */
  readonly cli: (...args: readonly string[]) => Promise<void>;
  /** Options of `bundle create` that sign. */
  readonly sign: readonly string[];
  /** Options of `bundle verify` that name the root of trust. */
  readonly trust: readonly string[];
  /** The bundle that was made first. */
  readonly bundle: string;
  /** References of the images that are in it. */
  readonly references: readonly string[];
}

/** What some work took. */
export interface Cost {
  readonly seconds: number;
  /** Time of processors, of the command and what it started; not of a Docker Engine. @default nobody has counted */
  readonly cpuSeconds?: number;
}

/** One line of the table. */
export interface Measure extends Cost {
  readonly what: string;
  /** Bytes that it made. @default none */
  readonly bytes?: number;
  /** The most bytes of memory that it had at once. @default nobody has counted */
  readonly memory?: number;
}

/** What measures something; others are added to the list in `scripts/bench-bundle.ts`. */
export type Measured = (bench: BundleBench) => Promise<readonly Measure[]>;

/** Seconds that some work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return (performance.now() - before) / 1000;
}

/** Runs a line of shell; throws when any command of it fails. */
export async function shell(line: string, ...args: readonly string[]): Promise<void> {
  const child = spawn("bash", ["-o", "pipefail", "-c", line, "bash", ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`exit code ${code}: ${line}`);
}

/** What a command took, which has to end with that code. */
export async function costOf(words: readonly string[], expected = 0): Promise<Cost> {
  const line = 'exec 3>&1 4>&2; TIMEFORMAT="%R %U %S"; { time "$@" > /dev/null 2>&4; } 2>&3';
  const child = spawn("bash", ["-c", line, "bash", ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const [said, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== expected) throw new Error(`exit code ${code} instead of ${expected}: ${words.join(" ")}\n${errors}`);
  const [seconds = Number.NaN, user = Number.NaN, system = Number.NaN] = said.trim().split(" ").map(Number);
  return { seconds, cpuSeconds: user + system };
}

/** Size of a file. */
export function sizeOf(file: string): number {
  return statSync(file).size;
}
