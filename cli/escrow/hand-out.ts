import { resolve } from "node:path";
import type { KeyCeremony } from "../../custody/escrow/ceremony.ts";
import { assertFree, stageFolder } from "../../custody/escrow/folder.ts";
import type { Holder, Quorum } from "../../custody/escrow/holders.ts";
import { renderEntry } from "../../custody/escrow/render-entry.ts";
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

/** A plan as `--dry-run` prints it. */
export function renderPlan({ folder, threshold, holders }: Plan): string {
  const lines = holders.map(({ index, name, operator, recipient, printed }) => {
    const how = [recipient, printed ? "printed" : undefined].filter(Boolean).join(", and ");
    return `share ${index}: ${name} (${operator}), ${how}\n`;
  });
  return [`folder: ${folder}\n`, `${threshold} of ${holders.length} shares would restore\n`, ...lines].join("");
}

/**
 * Hands shares out once everything else is on the disk, puts the folder in place at last, and says what was made. Until then
 * there is nothing.
 * @throws CUSTODY_ESCROW_FOLDER, CANCELLED
 */
export async function handOut(
  context: CommandContext,
  made: KeyCeremony,
  { folder }: Handing,
  schema: string,
): Promise<void> {
  const { io, flags } = context;
  const { escrow, entries, files, printed } = made;
  const staged = stageFolder(folder, files);
  try {
    await printShares(context, printed, escrow);
    staged.place();
  } finally {
    staged.discard();
  }
  const names = files.map(({ name }) => name);
  if (flags.json) {
    const { keyId, publicKey, setId, threshold, ceremonyKey } = escrow;
    printJson(io, { schema, keyId, publicKey, setId, threshold, ceremonyKey, folder, files: names, entries });
    return;
  }
  for (const entry of entries) io.stdout(`${renderEntry(entry, escrow.ceremonyKey)}\n`);
  io.stderr(`written: ${folder}: ${names.join(", ")}\n`);
}
