import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import type { StoreFiles } from "../store-files.ts";
import { rotationErrors } from "./errors.ts";

/** The phases of every rotation, in their order. */
export const PHASES = ["add-new", "prove-trust", "issue", "prove-use", "remove-old"] as const;

/** One of {@link PHASES}. */
export type Phase = (typeof PHASES)[number];

const journalSchema = z.strictObject({
  schema: z.literal("trustkern.rotation/1"),
  /** As `--what` has it. */
  what: z.string().min(1),
  /** RFC 3339. */
  startedAt: z.string().min(1),
  /** The phase that is at work; those before it are done. */
  phase: z.enum(PHASES),
  /** Fingerprints and numbers that later phases need. No secret. */
  memo: z.record(z.string(), z.string()),
  /** Whether it is being given up: from then on it only goes back. @default it is not */
  abandoned: z.literal(true).optional(),
});

/** A rotation that has begun and is not done. */
export type Journal = z.infer<typeof journalSchema>;

/**
 * The rotation that is not done, or undefined where there is none.
 * @throws ROTATION_JOURNAL_CORRUPT
 */
export function readJournal(file: string): Journal | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return journalSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll("\n", " ") : messageOf(thrown);
    throw rotationErrors.error("ROTATION_JOURNAL_CORRUPT", `"${file}" is no journal of a rotation: ${why}`, {
      path: file,
    });
  }
}

/** Keeps where a rotation is: whole or not at all, and on the disk before the next step begins. */
export function writeJournal(files: StoreFiles, file: string, journal: Journal): void {
  files.write(file, `${stableJson(journal, 2)}\n`);
}
