import { resolve } from "node:path";
import type { KeyCeremony } from "../../custody/escrow/ceremony.ts";
import { assertFree, putFolder } from "../../custody/escrow/folder.ts";
import type { Holder, Quorum } from "../../custody/escrow/holders.ts";
import { renderEntry } from "../../custody/escrow/render-entry.ts";
import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { type CommandContext, printJson } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { needed } from "../needed.ts";
import { printShares } from "./share-output.ts";

/** Where a command that deals shares puts them, and which it prints. */
export interface Handing {
  /** Absolute. */
  readonly folder: string;
  readonly print: "none" | "without-recipient" | "all";
}

/**
 * Where shares go, before any is made.
 * @throws CLI_USAGE, CUSTODY_ESCROW_FOLDER
 */
export function handingOf({ io, flags, options }: CommandContext): Handing {
  const folder = resolve(io.cwd, needed(options.output, "--output"));
  assertFree(folder);
  const print = options.printAll === true ? "all" : options.print === true ? "without-recipient" : "none";
  if (print === "none" || !flags.json) return { folder, print };
  throw cliErrors.error("CLI_USAGE", "--json goes into logs, and shares do not", {
    path: "--print",
    fix: "leave --json or --print out",
  });
}

/** Who would get what, without a key made. */
export interface Plan {
  readonly folder: string;
  readonly threshold: number;
  readonly holders: readonly (Holder & { readonly index: number; readonly printed: boolean })[];
}

/** What a ceremony would deal. */
export function describeDeal({ threshold, holders }: Quorum, { folder, print }: Handing): Plan {
  return {
    folder,
    threshold,
    holders: holders.map(({ name, operator, recipient }, at) => ({
      ...{ index: at + 1, name, operator, recipient },
      printed: print === "all" || (print === "without-recipient" && recipient === undefined),
    })),
  };
}

/** `--dry-run` of a ceremony. */
export function printPlan(
  { io, flags }: CommandContext,
  schema: string,
  plan: Plan & Readonly<Record<string, unknown>>,
): ExitCode {
  if (flags.json) printJson(io, { schema, dryRun: true, ...plan });
  else {
    const { holders, ...rest } = plan;
    for (const [name, value] of Object.entries(rest)) io.stdout(`${name}: ${String(value)}\n`);
    for (const { index, name, operator, recipient, printed } of holders) {
      const how = [recipient, printed ? "printed" : undefined].filter(Boolean).join(", and ");
      io.stdout(`share ${index}: ${name} (${operator}), ${how || "goes nowhere: add a recipient or --print"}\n`);
    }
  }
  return EXIT.done;
}

/** Hands shares out, puts the folder in place at last, and says what was made. Until then there is nothing. */
export async function handOut(
  context: CommandContext,
  made: KeyCeremony,
  { folder }: Handing,
  schema: string,
): Promise<void> {
  const { io, flags } = context;
  const { escrow, entries, files, printed } = made;
  await printShares(context, printed, escrow.shares.length);
  putFolder(folder, files);
  const names = files.map(({ name }) => name);
  if (flags.json) {
    const { keyId, publicKey, setId, threshold, ceremonyKey } = escrow;
    printJson(io, { schema, keyId, publicKey, setId, threshold, ceremonyKey, folder, files: names, entries });
    return;
  }
  for (const entry of entries) io.stdout(`${renderEntry(entry, escrow.ceremonyKey)}\n`);
  io.stderr(`written: ${folder}: ${names.join(", ")}\n`);
}
