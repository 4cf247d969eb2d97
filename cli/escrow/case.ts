import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { TRANSCRIPT_FILE } from "../../custody/escrow/ceremony.ts";
import type { CeremonyHeld } from "../../custody/escrow/entry.ts";
import { escrowErrors } from "../../custody/escrow/errors.ts";
import { type EscrowFile, parseEscrow } from "../../custody/escrow/escrow-file.ts";
import { checkShares, type Recovered, recover } from "../../custody/escrow/recover.ts";
import { renderEntry } from "../../custody/escrow/render-entry.ts";
import { openEntries } from "../../custody/escrow/transcript.ts";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { EXIT, type ExitCode, messageOf } from "../../shared/errors.ts";
import { namesIn, VERSIONS } from "../ceremony-options.ts";
import { type CommandContext, printJson } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { readInput } from "../files.ts";
import { needed } from "../needed.ts";
import { assertNothingExposed } from "./exposed.ts";
import { type Plan, renderPlan } from "./hand-out.ts";
import { readShares } from "./share-input.ts";

/** An escrow file and its transcript, before any share is used. */
export interface EscrowCase {
  readonly escrow: EscrowFile;
  /** Absolute path of the transcript. */
  readonly transcriptFile: string;
  /** Its verified text; empty for none. */
  readonly transcript: string;
}

/**
 * The escrow file of `--escrow`, and the transcript with it.
 * @throws CUSTODY_SHARE_EXPOSED, CLI_USAGE, CLI_FILE, CUSTODY_ESCROW_CORRUPT, CUSTODY_KEY_TRANSCRIPT_INVALID
 */
export async function openCase(context: CommandContext): Promise<EscrowCase> {
  assertNothingExposed(context);
  const { io, options } = context;
  const file = resolve(io.cwd, needed(options.escrow, "--escrow"));
  const escrow = parseEscrow(await textIn(context, file), file);
  const named = options.transcript;
  const transcriptFile = typeof named === "string" ? resolve(io.cwd, named) : join(dirname(file), TRANSCRIPT_FILE);
  const transcript = existsSync(transcriptFile) ? await textIn(context, transcriptFile) : "";
  await openEntries(transcript, escrow, transcriptFile);
  if (transcript === "") io.stderr(`there is no transcript at "${transcriptFile}": a new one begins\n`);
  return { escrow, transcriptFile, transcript };
}

/** What a quorum of the shares that were brought gives. The caller wipes it. @throws as `readShares` and `recover` */
export async function bringShares(context: CommandContext, { escrow }: EscrowCase): Promise<Recovered> {
  return recover(escrow, await readShares(context, escrow));
}

/** `--dry-run` of a command that needs shares: what is wrong with which, and who would get what. */
export async function tryShares(
  context: CommandContext,
  { escrow }: EscrowCase,
  schema: string,
  plan?: Plan,
): Promise<ExitCode> {
  const { io, flags } = context;
  const { shares, findings } = checkShares(escrow, await readShares(context, escrow));
  for (const { bytes } of shares) bytes.fill(0);
  const { keyId, setId, threshold } = escrow;
  const good = shares.map(({ index }) => index);
  const missing = Math.max(0, threshold - good.length);
  const ok = findings.length === 0 && missing === 0;
  if (flags.json)
    printJson(io, { schema, dryRun: true, ok, keyId, setId, threshold, shares: good, missing, findings, plan });
  else {
    io.stdout(`generation ${keyId}, set ${setId}: ${good.length} of ${threshold} shares, ${missing} missing\n`);
    for (const { code, message } of findings) io.stdout(`${code} ${message}\n`);
    if (plan !== undefined) io.stdout(`the new set\n${renderPlan(plan)}`);
  }
  return ok ? EXIT.done : EXIT.failed;
}

/**
 * Refuses an escrow file of another tenant than the deployment's.
 * @throws CUSTODY_SHARE_FOREIGN
 */
export function assertTenantOf({ escrow }: EscrowCase, tenant: string): void {
  if (escrow.tenant === tenant) return;
  const message = `the escrow file is of tenant ${escrow.tenant}, and the deployment of ${tenant}`;
  throw escrowErrors.error("CUSTODY_SHARE_FOREIGN", message, {
    path: "--escrow",
    fix: "name the deployment with -f FILE",
  });
}

/** Prints the last line of a transcript. */
export async function printLast(
  { io, flags }: CommandContext,
  escrow: EscrowFile,
  transcript: string,
  schema: string,
): Promise<void> {
  const entry = (await openEntries(transcript, escrow, TRANSCRIPT_FILE)).at(-1);
  if (entry === undefined) throw new TypeError("a transcript without a line");
  if (flags.json) printJson(io, { ...entry, schema });
  else io.stdout(renderEntry(entry, escrow.ceremonyKey));
}

/** Who is there, by the command line. */
export function heldBy({ io, options }: CommandContext): CeremonyHeld {
  return {
    now: io.now(),
    versions: VERSIONS,
    conductor: typeof options.conductor === "string" ? options.conductor : io.user(),
    witnesses: namesIn(options.witnesses),
  };
}

/** Replaces a transcript. @throws CLI_OUTPUT */
export function writeTranscript({ transcriptFile }: EscrowCase, text: string): void {
  try {
    writeFileAtomic(transcriptFile, text);
  } catch (cause) {
    const message = `cannot write "${transcriptFile}": ${messageOf(cause)}`;
    const fix = "name a transcript that may be written with --transcript FILE: a copy of this one, or a new one";
    throw cliErrors.error("CLI_OUTPUT", message, { path: "--transcript", fix, cause });
  }
}

async function textIn({ io }: CommandContext, file: string): Promise<string> {
  return Buffer.from(await readInput(io, file)).toString("utf8");
}
