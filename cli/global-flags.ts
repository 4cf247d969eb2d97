import type { Command as Program } from "commander";
import { Option } from "commander";
import type { GlobalFlags } from "./command.ts";

/** Adds the flags that every command takes. */
export function addGlobalFlags(program: Program): void {
  program
    .option("-f, --file <file>", "deployment (default: trustkern.yaml, found upwards)")
    .option("--dir <dir>", "state directory (default: .trustkern beside the file)")
    .option("--json", "one JSON document on one line of stdout", false)
    .option("--yes", "take every question as answered with yes", false)
    .option("--non-interactive", "never ask", false)
    .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"))
    .addOption(
      new Option("--progress <how>", "progress of long steps")
        .choices(["auto", "tty", "plain", "json", "quiet"])
        .default("auto"),
    );
}

/** The global flags among commander's options, which have been checked. */
export function globalFlagsOf(options: Readonly<Record<string, unknown>>): GlobalFlags {
  return {
    file: textOf(options.file),
    dir: textOf(options.dir),
    json: options.json === true,
    yes: options.yes === true,
    nonInteractive: options.nonInteractive === true,
    color: options.color as GlobalFlags["color"],
    progress: options.progress as GlobalFlags["progress"],
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
