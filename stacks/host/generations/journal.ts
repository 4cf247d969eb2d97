import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import type { StoreFiles } from "../store-files.ts";
import { generationErrors } from "./errors.ts";

/** The phases of every rotation of generations, in their order. */
export const KEY_PHASES = ["make-next", "publish", "prove-use", "activate"] as const;

/** One of {@link KEY_PHASES}. */
export type KeyPhase = (typeof KEY_PHASES)[number];

const journalSchema = z.strictObject({
  schema: z.literal("trustkern.key-rotation/1"),
  /** RFC 3339. */
  startedAt: z.iso.datetime(),
  /** The phase that is at work; those before it are done. */
  phase: z.enum(KEY_PHASES),
  /** The generation that becomes active; null until custody has made it. */
  keyId: z.string().nullable(),
  /** When every sensor's update was with the backend, RFC 3339; null before. */
  publishedAt: z.iso.datetime().nullable(),
  /** The overlap that somebody asked for, in seconds; absent where it is the schedule's. */
  overlapSeconds: z.int().positive().optional(),
});

/** A rotation of generations that has begun and is not done. No secret. */
export type KeyJournal = z.output<typeof journalSchema>;

/**
 * The rotation that is not done, or undefined where there is none.
 * @throws KEYS_JOURNAL_CORRUPT
 */
export function readKeyJournal(file: string): KeyJournal | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return journalSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll("\n", " ") : messageOf(thrown);
    throw generationErrors.error("KEYS_JOURNAL_CORRUPT", `"${file}" is no journal of a rotation of keys: ${why}`, {
      path: file,
    });
  }
}

/** Keeps where a rotation is: whole or not at all, and on the disk before the next step begins. */
export function writeKeyJournal(files: StoreFiles, file: string, journal: KeyJournal): KeyJournal {
  files.write(file, `${stableJson(journal, 2)}\n`);
  return journal;
}
