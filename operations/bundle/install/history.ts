import { siteErrors } from "./errors.ts";
import type { JournalLine, Step } from "./journal.ts";

/** A version, and the digest of its manifest. */
export interface Installed {
  readonly version: number;
  readonly manifest: string;
}

/** A run that has not ended. */
export interface OpenRun extends Installed {
  readonly run: number;
  readonly kind: "install" | "upgrade" | "rollback";
  readonly from: Installed | undefined;
  /** Why it goes back; undefined while it goes forward. */
  readonly back: string | undefined;
  readonly begun: ReadonlySet<Step>;
  readonly done: ReadonlySet<Step>;
}

/** What a journal says of a site. */
export interface History {
  /** Number of the last run. */
  readonly runs: number;
  /** What ran when the last run ended. */
  readonly installed: Installed | undefined;
  /** What the version that is installed replaced, as long as it can be gone back to. */
  readonly before: Installed | undefined;
  readonly open: OpenRun | undefined;
}

/** What runs on a site, or what a way back that has begun leads to. */
export function runsOf({ open, installed }: Pick<History, "open" | "installed">): Installed | undefined {
  return open?.back === undefined ? installed : backTarget(open);
}

/** What a way back leads to. */
export function backTarget({ kind, version, manifest, from }: OpenRun): Installed | undefined {
  return kind === "rollback" ? { version, manifest } : from;
}

const NOTHING: History = { runs: 0, installed: undefined, before: undefined, open: undefined };

/**
 * Reads a journal from its first line to its last.
 * @throws BUNDLE_JOURNAL_CORRUPT where the lines follow each other in a way in which no run writes them
 */
export function historyOf(lines: readonly JournalLine[]): History {
  return lines.reduce((history, line, index) => {
    const next = after(history, line);
    if (next !== undefined) return next;
    const what = `line ${index + 1} of the journal, ${line.event} of run ${line.run}, does not follow the one before it`;
    throw siteErrors.error("BUNDLE_JOURNAL_CORRUPT", what, { path: `journal.jsonl:${index + 1}` });
  }, NOTHING);
}

function after(history: History, line: JournalLine): History | undefined {
  const { open, installed, runs } = history;
  if (line.event === "begin") {
    if (open !== undefined || line.run !== runs + 1 || (installed?.version ?? null) !== line.from) return undefined;
    const { run, kind, version, manifest } = line;
    const nothing = { begun: new Set<Step>(), done: new Set<Step>() };
    const back = kind === "rollback" ? "asked for" : undefined;
    return { ...history, runs: run, open: { run, kind, version, manifest, from: installed, back, ...nothing } };
  }
  if (open === undefined || line.run !== open.run) return undefined;
  switch (line.event) {
    case "step": {
      const [begun, done] = [new Set(open.begun).add(line.step), new Set(open.done)];
      if (line.state === "done") done.add(line.step);
      return { ...history, open: { ...open, begun, done } };
    }
    case "back":
      return open.from === undefined ? undefined : { ...history, open: { ...open, back: line.why } };
    case "end":
      return ended(history, open, line.outcome);
  }
}

/** A version that was gone back to has no copy any more: it is what runs. An upgrade that was undone took nothing from the one before. */
function ended(history: History, { kind, version, manifest, from }: OpenRun, outcome: "new" | "old"): History {
  const { runs, installed, before } = history;
  if (kind === "rollback") return { runs, installed: { version, manifest }, before: undefined, open: undefined };
  if (outcome === "old") return { runs, installed, before, open: undefined };
  const same = from?.version === version;
  return { runs, installed: { version, manifest }, before: same ? before : from, open: undefined };
}
