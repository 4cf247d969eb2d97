import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** What is measured on: one bundle, and the same images in a Docker Engine. */
export interface BundleBench {
  /** Folder for what is made, empty before each measure. */
  readonly folder: string;
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

/** One line of the table. */
export interface Measure {
  readonly what: string;
  readonly seconds: number;
  /** Bytes that it made. @default none */
  readonly bytes?: number;
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

/** Size of a file. */
export function sizeOf(file: string): number {
  return statSync(file).size;
}
