import { main } from "./main.ts";

/** What a command line printed, and its exit code. */
export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test says about the outside; the rest is a pipe, a fixed clock and nothing to cancel. */
export interface Outside {
  readonly stdin?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly terminal?: boolean;
  readonly cancelled?: AbortSignal;
  /** @default a clock that stands still at the Unix epoch */
  readonly now?: () => Date;
}

/** Runs a command line with everything that it prints caught. */
export async function runCli(argv: readonly string[], outside: Outside = {}): Promise<Outcome> {
  const { terminal = false } = outside;
  const printed = { stdout: "", stderr: "" };
  const exit = await main(argv, {
    stdout: (text) => {
      printed.stdout += text;
    },
    stderr: (text) => {
      printed.stderr += text;
    },
    stdin: async () => outside.stdin ?? new Uint8Array(),
    env: outside.env ?? {},
    cwd: outside.cwd ?? "/",
    user: () => outside.env?.USER ?? "somebody",
    isTerminal: { stdin: terminal, stdout: terminal, stderr: terminal },
    now: outside.now ?? (() => new Date(0)),
    cancelled: outside.cancelled ?? new AbortController().signal,
  });
  return { exit, ...printed };
}
