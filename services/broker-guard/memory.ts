import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import type { TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";

const stored = z.object({ seq: z.int().min(0), least: z.record(z.string(), z.string().regex(/^[0-9]{1,50}$/)) });

/** What the guard knows from before it was started. */
export interface Memory {
  /** The last decision of the backend to end a session that was carried out. */
  readonly seq: number;
  /** The highest number of a list that was in force, by its issuer's key. */
  readonly least: ReadonlyMap<string, bigint>;
}

/** Reads what was kept; a file that is no such thing counts as none, since the lists themselves are verified anyway. */
export function readMemory(stateDir: string): Memory {
  const file = join(stateDir, "trust.json");
  if (!existsSync(file)) return { seq: 0, least: new Map() };
  try {
    const { seq, least } = stored.parse(JSON.parse(readFileSync(file, "utf8")));
    return { seq, least: new Map(Object.entries(least).map(([key, number]) => [key, BigInt(number)])) };
  } catch {
    return { seq: 0, least: new Map() };
  }
}

/** Keeps it, so that a list from before the last one is not taken after a restart either. */
export function writeMemory(stateDir: string, { seq, least }: Memory): void {
  const numbers = Object.fromEntries([...least].map(([key, number]) => [key, String(number)]));
  writeFileAtomic(join(stateDir, "trust.json"), `${JSON.stringify({ seq, least: numbers })}\n`);
}

/** The floors after these lists were in force. */
export function raise(least: ReadonlyMap<string, bigint>, crls: readonly TrustedCrl[]): ReadonlyMap<string, bigint> {
  const raised = new Map(least);
  for (const { keyId, number } of crls) if (number > (raised.get(keyId) ?? -1n)) raised.set(keyId, number);
  return raised;
}
