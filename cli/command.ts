import type { ExitCode } from "../shared/errors.ts";
import type { Io } from "./io.ts";
import type { ColorChoice, Paint } from "./paint.ts";

/** The flags that every command takes. */
export interface GlobalFlags {
  /** Deployment file, as given. */
  readonly file: string | undefined;
  /** State directory, as given. */
  readonly dir: string | undefined;
  readonly json: boolean;
  readonly yes: boolean;
  readonly nonInteractive: boolean;
  readonly progress: "auto" | "tty" | "plain" | "json" | "quiet";
  readonly color: ColorChoice;
}

/** What a command is handed. */
export interface CommandContext {
  readonly io: Io;
  readonly flags: GlobalFlags;
  /** Options of the command itself, by their camel-case names. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly args: readonly string[];
  /** Colours for text on stdout, or none. */
  readonly paint: Paint;
}

/** A command: parse, call, print. Throws what goes wrong. */
export type Run = (context: CommandContext) => Promise<ExitCode>;

/** Flags in commander's notation, what they mean, and how the values of an option that is given several times become one. */
export type CommandOption = readonly [
  flags: string,
  meaning: string,
  join?: (value: string, before: string | undefined) => string,
];

/** One line of the command table. */
export interface Command {
  /** Words of the command, such as `config show`. */
  readonly name: string;
  /** Arguments in commander's notation, such as `<code>`. */
  readonly args?: string;
  readonly summary: string;
  readonly options?: readonly CommandOption[];
  /** Whether it ends itself when `io.cancelled` is aborted; others are left at once. @default false */
  readonly handlesCancel?: boolean;
  /** Imports the command only when it runs, so that help is fast. */
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** Prints the one JSON document of a command, on one line of stdout. */
export function printJson(io: Io, document: object): void {
  io.stdout(`${JSON.stringify(document)}\n`);
}
