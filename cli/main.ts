import { CommanderError } from "commander";
import { EXIT, type ExitCode, TrustKernError } from "../shared/errors.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./command-table.ts";
import { cliErrors } from "./errors.ts";
import { globalFlagsOf } from "./global-flags.ts";
import { type Io, processIo } from "./io.ts";
import { type ColorChoice, paintFor } from "./paint.ts";
import { buildProgram } from "./program.ts";
import { reportError } from "./report-error.ts";

/** Runs one command line, without the program's own name, and gives its exit code. Never throws. */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  let running: Command | undefined;
  let given: readonly string[] = [];
  const program = buildProgram(io, {
    started: (command, args) => {
      [running, given] = [command, args];
    },
    ended: (code) => {
      exit = code;
    },
  });
  const left = cancellation(io, () => running?.handlesCancel === true);
  try {
    await Promise.race([program.parseAsync([...argv], { from: "user" }), left.promise]);
    return exit;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.done;
    // A group without a command has printed its help.
    if (thrown instanceof CommanderError && thrown.code === "commander.help") return EXIT.configuration;
    const error = thrown instanceof CommanderError ? usageError(thrown, argv) : withHelp(thrown, running);
    // What looks at errors is loaded for an error alone.
    const { logDenied } = await import("./denied-event.ts");
    if (running) await logDenied(error, { name: running.name, args: given, flags: globalFlagsOf(program.opts()) }, io);
    return await reportError(error, io, wantsJson(argv), paintFor(io, colorOf(program.opts().color), "stderr"));
  } finally {
    left.stop();
  }
}

/** Rejects when the user cancels a command that does not end itself. */
function cancellation(io: Io, handled: () => boolean): { promise: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = () => {
    if (!handled()) reject(cliErrors.error("CANCELLED", "cancelled"));
  };
  io.cancelled.addEventListener("abort", cancel);
  return { promise, stop: () => io.cancelled.removeEventListener("abort", cancel) };
}

function usageError({ message }: CommanderError, argv: readonly string[]): Error {
  const [said = "", hint] = message.replace(/^error: /, "").split("\n");
  const meant = hint?.replace(/^\(Did you mean (.*)\?\)$/, "did you mean $1?");
  const named = COMMANDS.map(({ name }) => name)
    .filter((name) => name.split(" ").every((word, i) => argv[i] === word))
    .toSorted((a, b) => b.length - a.length)[0];
  return cliErrors.error("CLI_USAGE", said, {
    fix: meant ?? (named && `trustkern ${named} --help says what it takes`),
  });
}

/** A command line that a command refuses without a fix of its own is mended by what that command's help says. */
function withHelp(thrown: unknown, running: Command | undefined): unknown {
  if (!(thrown instanceof TrustKernError) || thrown.code !== "CLI_USAGE" || running === undefined) return thrown;
  if (thrown.fix !== cliErrors.entries.CLI_USAGE.fix) return thrown;
  const fix = `trustkern ${running.name} --help says what it takes`;
  return cliErrors.error("CLI_USAGE", thrown.message, { path: thrown.path, fix, cause: thrown.cause });
}

/** Whether errors are to be JSON, also when the command line could not be parsed. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

function colorOf(value: unknown): ColorChoice {
  return value === "always" || value === "never" ? value : "auto";
}

if (import.meta.main) {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => controller.abort());
  // A reader that has seen enough, such as head, is no fault: what runs is stopped in order.
  process.stdout.on("error", () => controller.abort());
  process.stderr.on("error", () => controller.abort());
  process.exitCode = await main(process.argv.slice(2), processIo(controller.signal));
  if (controller.signal.aborted) process.exit();
}
