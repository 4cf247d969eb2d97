import { grouped } from "../../certs/ceremony/render-transcript.ts";
import { escrowErrors } from "../../custody/escrow/errors.ts";
import { type EscrowFile, parseEscrow } from "../../custody/escrow/escrow-file.ts";
import { renderEntry } from "../../custody/escrow/render-entry.ts";
import { type CeremonyEntry, openEntries, sha256 } from "../../custody/escrow/transcript.ts";
import { EXIT } from "../../shared/errors.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { readInput } from "../files.ts";
import { needed } from "../needed.ts";
import type { Paint } from "../paint.ts";

/** `keys transcript verify FILE --escrow FILE`: needs no deployment. */
export const run: Run = async (context) => {
  const { io, flags, options, args, paint } = context;
  const file = args[0] ?? "";
  const escrowName = needed(options.escrow, "--escrow");
  const escrowText = await textOf(context, escrowName);
  const escrow = parseEscrow(escrowText, escrowName);
  const entries = await openEntries(await textOf(context, file), escrow, file);
  const dealt = entries.findLast(({ setId }) => setId === escrow.setId);
  if (dealt === undefined) throw invalid(file, `no line is about set ${escrow.setId} of the escrow file`);
  if (dealt.escrowSha256 !== sha256(escrowText)) throw invalid(file, "the escrow file is not the one that it names");
  const replaced = entries.find(({ replaces }) => replaces === escrow.setId);
  if (replaced !== undefined) {
    const { setId, time } = replaced;
    const message = `the transcript is whole, and set ${escrow.setId} of the escrow file was replaced by set ${setId} at ${time}`;
    throw escrowErrors.error("CUSTODY_ESCROW_REPLACED", message, { path: escrowName });
  }
  if (flags.json) printJson(io, { schema: "trustkern.keys-transcript/1", ok: true, count: entries.length, entries });
  else {
    for (const entry of entries) io.stdout(`${renderEntry(entry, escrow.ceremonyKey)}\n`);
    io.stdout(renderVerdict(entries, escrow, paint));
  }
  return EXIT.done;
};

/** Lines that were cut off the end leave no mark in what is left: who has another copy can count. */
function renderVerdict(
  entries: readonly CeremonyEntry[],
  { keyId, setId, ceremonyKey }: EscrowFile,
  paint: Paint,
): string {
  const { length } = entries;
  return [
    `${paint("green", "whole")}: ${length} ${length === 1 ? "entry" : "entries"}, the last of ${entries.at(-1)?.time}`,
    `signed by the ceremony key of generation ${grouped(keyId)}: ${grouped(sha256(Buffer.from(ceremonyKey, "base64")))}`,
    `the escrow file is that of set ${grouped(setId)}, which no entry replaces`,
    "entries that were cut off the end, a re-share too, cannot be missed here: count them in a witness's copy",
    "",
  ].join("\n");
}

async function textOf({ io }: CommandContext, name: string): Promise<string> {
  return Buffer.from(await readInput(io, name)).toString("utf8");
}

function invalid(path: string, message: string): Error {
  return escrowErrors.error("CUSTODY_KEY_TRANSCRIPT_INVALID", message, { path });
}
