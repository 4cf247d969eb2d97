import { sizeText } from "../shared/size-text.ts";
import type { CommandContext } from "./command.ts";

/** How far a step is that works through a known number of bytes. */
export interface BytesDone {
  readonly bytes: number;
  readonly of: number;
}

/** Shows on stderr how far a step is that works through bytes, and how long it still takes. */
export interface BytesView {
  /** Begins a step, such as `compressing`; the one before has ended. */
  readonly begin: (what: string) => void;
  readonly onBytes: (done: BytesDone) => void;
  /** Leaves what is on the screen, so that other lines can follow. */
  readonly stop: () => void;
}

const CLEAR_LINE = "\r\u001b[2K";
/** A shorter time says nothing of the rest. */
const LEAST_SECONDS = 3;
const EVERY_MS = { tty: 250, plain: 5000, json: 1000 } as const;

/** One line every 5 s off a terminal, a line that is drawn over itself on one, a document a second with `--progress json`. */
export function bytesView({ io, flags }: Pick<CommandContext, "io" | "flags">): BytesView {
  const kind = flags.progress === "auto" ? (io.isTerminal.stderr ? "tty" : "plain") : flags.progress;
  const nothing = (): void => undefined;
  if (kind === "quiet") return { begin: nothing, onBytes: nothing, stop: nothing };
  const now = (): number => io.now().getTime();
  let what = "";
  let [beganAt, shownAt, drawn] = [0, 0, false];
  const stop = (): void => {
    if (drawn) io.stderr("\n");
    drawn = false;
  };
  return {
    begin: (step) => {
      stop();
      what = step;
      [beganAt, shownAt] = [now(), now()];
    },
    onBytes: (done) => {
      const at = now();
      // What stands on a terminal stays there: it ends with 100 %.
      if (at - shownAt < EVERY_MS[kind] && !(drawn && done.bytes === done.of)) return;
      shownAt = at;
      const seconds = (at - beganAt) / 1000;
      if (kind === "json") {
        io.stderr(`${JSON.stringify({ progress: what, ...done, secondsLeft: secondsLeft(done, seconds) ?? null })}\n`);
        return;
      }
      const line = bytesLine(what, done, seconds);
      io.stderr(kind === "tty" ? `${CLEAR_LINE}${line}` : `${line}\n`);
      drawn = kind === "tty";
    },
    stop,
  };
}

/**
 * Such as `compressing: 96.0 MiB of 1.2 GiB, 8 %, 41 s left`.
 * @param seconds since the step began
 */
export function bytesLine(what: string, done: BytesDone, seconds: number): string {
  const left = secondsLeft(done, seconds);
  const percent = done.of === 0 ? 100 : Math.floor((100 * done.bytes) / done.of);
  const rest =
    left === undefined || done.bytes === done.of
      ? ""
      : `, ${left < 120 ? `${left} s` : `${Math.round(left / 60)} min`} left`;
  return `${what}: ${sizeText(done.bytes)} of ${sizeText(done.of)}, ${percent} %${rest}`;
}

/** At the speed so far; undefined while that says nothing. */
function secondsLeft({ bytes, of }: BytesDone, seconds: number): number | undefined {
  return bytes === 0 || seconds < LEAST_SECONDS ? undefined : Math.round((seconds * (of - bytes)) / bytes);
}
