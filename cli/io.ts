import { userInfo } from "node:os";
import { buffer } from "node:stream/consumers";

/** Everything outside that a command may touch, so that tests hand in their own. */
export interface Io {
  /** Data. */
  readonly stdout: (text: string) => void;
  /** Talk. */
  readonly stderr: (text: string) => void;
  /** All of standard input. */
  readonly stdin: () => Promise<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Name of the user who runs this process; `uid N` for one that the system has no name for. */
  readonly user: () => string;
  readonly isTerminal: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly now: () => Date;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly cancelled: AbortSignal;
}

/** The outside of this process. */
export function processIo(cancelled: AbortSignal): Io {
  return {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    stdin: () => buffer(process.stdin),
    env: process.env,
    cwd: process.cwd(),
    user: () => userOf(process.env),
    isTerminal: {
      stdin: process.stdin.isTTY === true,
      stdout: process.stdout.isTTY === true,
      stderr: process.stderr.isTTY === true,
    },
    now: () => new Date(),
    cancelled,
  };
}

/** What the environment says is what sudo and cron leave there; without it the system knows. */
function userOf({ USER }: NodeJS.ProcessEnv): string {
  if (USER !== undefined && USER !== "") return USER;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
