import {
  liveState,
  liveView,
  type ProgressEvent,
  renderProgressLine,
  withProgress,
} from "../stacks/docker/terraform/progress.ts";
import type { CommandContext } from "./command.ts";

/** Shows what becomes of resources while they are made. */
export interface ResourceView {
  readonly onResource: (event: ProgressEvent) => void;
  /** Leaves what is on the screen, so that other lines can follow; the next resource begins anew below. */
  readonly stop: () => void;
}

const REFRESH_MS = 250;
const MAX_LINES = 12;
const CLEAR_DOWN = "\u001b[0J";

/** One line for each resource off a terminal; on one, a view that is drawn over itself. */
export function resourceView({ io, flags }: CommandContext): ResourceView {
  const kind = flags.progress === "auto" ? (io.isTerminal.stderr ? "tty" : "plain") : flags.progress;
  const nothing = (): void => undefined;
  if (kind === "quiet") return { onResource: nothing, stop: nothing };
  if (kind === "json") return { onResource: (event) => io.stderr(`${JSON.stringify(event)}\n`), stop: nothing };
  if (kind === "plain") return { onResource: (event) => print(io.stderr, renderProgressLine(event)), stop: nothing };
  return live(io.stderr, () => io.now().getTime());
}

function print(stderr: (text: string) => void, line: string | undefined): void {
  if (line !== undefined) stderr(`${line}\n`);
}

function live(stderr: (text: string) => void, now: () => number): ResourceView {
  let state = liveState(0);
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const columns = (process.stderr.columns ?? 80) - 1;
    const lines = liveView(state, now(), MAX_LINES).map((line) => line.slice(0, columns));
    stderr(`${drawn > 0 ? `\u001b[${drawn}A\r` : ""}${CLEAR_DOWN}${lines.join("\n")}\n`);
    drawn = lines.length;
  };
  return {
    onResource: (event) => {
      state = withProgress(state, event, now());
      timer ??= setInterval(draw, REFRESH_MS);
    },
    stop: () => {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      draw();
      drawn = 0;
    },
  };
}
