import { closeSync, constants, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { siteErrors } from "./errors.ts";
import { syncFolder, writingSite } from "./writing.ts";

/** Everything that is journalled, in the order in which an upgrade that fails goes through it. */
export const STEPS = [
  "stage",
  "load",
  "place",
  "stop",
  "backup",
  "switch",
  "deploy",
  "record",
  "prune",
  "remove",
  "restore",
  "switch-back",
  "load-back",
  "deploy-back",
] as const;

/** One of {@link STEPS}. */
export type Step = (typeof STEPS)[number];

const run = z.int().min(1);
const version = z.int().min(1);
const at = z.string().max(40);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const line = z.discriminatedUnion("event", [
  z.strictObject({
    event: z.literal("begin"),
    run,
    at,
    kind: z.enum(["install", "upgrade", "rollback"]),
    /** What is to run at the end. */
    version,
    manifest: digest,
    /** What ran before. */
    from: version.nullable(),
  }),
  z.strictObject({ event: z.literal("step"), run, at, step: z.enum(STEPS), state: z.enum(["begun", "done"]) }),
  /** The way back of an upgrade begins. */
  z.strictObject({ event: z.literal("back"), run, at, why: z.string().max(4096) }),
  z.strictObject({ event: z.literal("end"), run, at, outcome: z.enum(["new", "old"]) }),
]);

/** One line of a site's journal. */
export type JournalLine = z.output<typeof line>;

/** A site's journal. */
export interface Journal {
  /** Everything that was written, before it was opened and since. */
  readonly lines: () => readonly JournalLine[];
  /** Returns when the line is on the disk. */
  readonly write: (line: JournalLine) => void;
}

/**
 * The whole lines of a journal; a last one that was cut is none, since nothing was done that it would have told of.
 * @param file its name, for the report
 * @throws BUNDLE_JOURNAL_CORRUPT
 */
export function parseJournal(text: string, file: string): readonly JournalLine[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)
    .map((one, index) => {
      const parsed = line.safeParse(json(one));
      if (parsed.success) return parsed.data;
      throw siteErrors.error("BUNDLE_JOURNAL_CORRUPT", `line ${index + 1} of "${file}" is no line of a journal`, {
        path: `${file}:${index + 1}`,
      });
    });
}

/**
 * Opens a site's journal, which is made with its first line.
 * @throws BUNDLE_JOURNAL_CORRUPT, BUNDLE_SITE_UNWRITABLE
 */
export function openJournal(file: string): Journal {
  const text = readOrNothing(file);
  const lines = [...parseJournal(text, file)];
  return {
    lines: () => lines,
    write: (next) => {
      writingSite(file, () => append(file, next));
      lines.push(next);
    },
  };
}

const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;

function append(file: string, next: JournalLine): void {
  const fresh = !existsSync(file);
  const descriptor = openSync(file, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  try {
    cutTornLine(descriptor);
    const bytes = Buffer.from(`${JSON.stringify(next)}\n`);
    const written = writeSync(descriptor, bytes);
    if (written !== bytes.length) throw Object.assign(new Error("the disk took part of a line"), { code: "ENOSPC" });
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (fresh) syncFolder(dirname(file));
}

/** What is behind the last whole line was cut by a power failure or a full disk. */
function cutTornLine(descriptor: number): void {
  const bytes = readFileSync(descriptor);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) ftruncateSync(descriptor, end);
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return "";
    return writingSite(file, () => {
      throw thrown;
    });
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
