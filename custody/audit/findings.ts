import type { Finding } from "../../shared/finding.ts";

const MOST = 1_000;

/** Findings, of which a log that was written anew would have millions. */
export class FindingList {
  readonly #all: Finding[] = [];

  get all(): readonly Finding[] {
    return this.#all;
  }

  /** Adds them, up to a thousand in all. */
  add(...findings: readonly Finding[]): void {
    this.#all.push(...findings.slice(0, MOST - this.#all.length));
  }
}

/** A finding about an audit log. */
export function auditFinding(code: string, path: string, message: string): Finding {
  const fix = "keep the folder for whoever investigates, and compare it with a backup";
  return { code, path, message: `${path} ${message}`, fix };
}
