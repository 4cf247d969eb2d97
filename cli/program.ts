import { Command as Program } from "commander";
import pkg from "../package.json" with { type: "json" };
import type { ExitCode } from "../shared/errors.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./command-table.ts";
import { renderExitCodes } from "./exit-codes.ts";
import { addGlobalFlags, globalFlagsOf } from "./global-flags.ts";
import type { Io } from "./io.ts";
import { paintFor } from "./paint.ts";

/** What the program is told when a command is about to run, and when it has ended. */
export interface ProgramHooks {
  readonly started: (command: Command, args: readonly string[]) => void;
  readonly ended: (exit: ExitCode) => void;
}

const GROUPS: Readonly<Record<string, string>> = {
  config: "the deployment file",
  profile: "what a deployment may be",
  images: "the container images of a deployment",
  certs: "certificates: who has which, renewal, rotation, revocation",
  "certs transcript": "the transcript of the ceremony that made the authorities",
  "certs audit": "the ledgers of issued and revoked certificates",
  "certs maker": "authorities of makers of devices",
  keys: "custody of the decryption keys",
  "keys audit": "custody's log of every use of a key",
  "keys transcript": "the transcript of a generation's ceremonies",
  gateway: "gateways, and the tokens that they ask the backend with",
  "gateway token": "bearer tokens of gateways",
  device: "made devices, and who made them",
  "device maker": "makers of devices",
  bundle: "everything that a site without a network needs, in one signed file",
  "bundle trust": "who may sign bundles, and what a site trusts",
  verify: "proof that the boundary holds",
  export: "the same deployment in the words of another tool",
  envelope: "the wire format, for firmware teams and auditors",
};

/** The command line as commander sees it. It throws commander's errors instead of leaving the process. */
export function buildProgram(io: Io, hooks: ProgramHooks): Program {
  const program: Program = new Program("trustkern")
    .description("Deploys TrustKern's decryption boundary, and proves it.")
    .version(pkg.version, "--version", "print the version")
    .helpCommand("help [command]", "help for a command; help exit-codes lists the exit codes")
    .addHelpText("after", "\ntrustkern help exit-codes lists the exit codes, trustkern explain CODE any error code.")
    .configureHelp({
      showGlobalOptions: true,
      // Those of a command that others stand below are not theirs.
      visibleGlobalOptions: ({ parent }) => (parent === null ? [] : program.options.filter(({ hidden }) => !hidden)),
    });
  quiet(program, io);
  addGlobalFlags(program);
  const groups = new Map<string, Program>();
  for (const command of COMMANDS) addCommand(program, groups, command, io, hooks);
  addExitCodes(program, io);
  return program;
}

// Errors are printed by report-error.ts, in words or as JSON; help goes where commander sends it.
function quiet(program: Program, io: Io): void {
  program
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, outputError: () => undefined })
    .showSuggestionAfterError();
}

function addCommand(
  program: Program,
  groups: Map<string, Program>,
  command: Command,
  io: Io,
  hooks: ProgramHooks,
): void {
  const words = command.name.split(" ");
  const parent = groupOf(program, groups, words.slice(0, -1));
  const signature = [words.at(-1), command.args].filter(Boolean).join(" ");
  const leaf = parent.command(signature).description(command.summary);
  // Others may stand below a command, such as `evidence verify` below `evidence`.
  groups.set(command.name, leaf);
  for (const [flags, meaning, join] of command.options ?? []) {
    if (join === undefined) leaf.option(flags, meaning);
    else leaf.option(flags, meaning, join);
  }
  leaf.action(async (...received) => {
    refuseOptionsOf(parent, leaf);
    const flags = globalFlagsOf(program.opts());
    const args = received
      .slice(0, leaf.registeredArguments.length)
      .flat()
      .filter((arg) => typeof arg === "string");
    hooks.started(command, args);
    const { run } = await command.load();
    hooks.ended(await run({ io, flags, options: leaf.opts(), args, paint: paintFor(io, flags.color, "stdout") }));
  });
}

/** Commander hands a command's own options to what stands below it: `evidence verify --layers` would be taken, and mean nothing. */
function refuseOptionsOf(parent: Program, leaf: Program): void {
  if (parent.parent === null) return;
  const given = parent.options.find((option) => parent.getOptionValueSource(option.attributeName()) === "cli");
  if (given !== undefined) leaf.error(`error: unknown option '${given.long ?? given.flags}'`);
}

/** The command that these words name, below which others stand. */
function groupOf(program: Program, groups: Map<string, Program>, words: readonly string[]): Program {
  const [last, path] = [words.at(-1), words.join(" ")];
  if (last === undefined) return program;
  const known = groups.get(path);
  if (known) return known;
  const summary = GROUPS[path];
  if (summary === undefined) throw new TypeError(`no summary of "${path}"`);
  const group = groupOf(program, groups, words.slice(0, -1)).command(last).description(summary);
  groups.set(path, group);
  return group;
}

/** `help exit-codes`: commander's own help takes the word for a command, so it is one that help does not list. */
function addExitCodes(program: Program, io: Io): void {
  const topic = program.command("exit-codes", { hidden: true }).description("the exit codes of every command");
  topic.configureHelp({ formatHelp: renderExitCodes });
  topic.action(() => io.stdout(renderExitCodes()));
}
