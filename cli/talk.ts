import type { CommandContext } from "./command.ts";

/** Tells on stderr what a long step does, as `--progress` says. */
export function talk({ io, flags, paint }: CommandContext): (what: string) => void {
  return (what) => {
    if (flags.progress === "json") io.stderr(`${JSON.stringify({ progress: what })}\n`);
    else if (flags.progress !== "quiet") io.stderr(`${paint("dim", `· ${what}`)}\n`);
  };
}
