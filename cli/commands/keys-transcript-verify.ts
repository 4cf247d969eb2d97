import { escrowErrors } from "../../custody/escrow/errors.ts";
import { parseEscrow } from "../../custody/escrow/escrow-file.ts";
import { renderEntry } from "../../custody/escrow/render-entry.ts";
import { openEntries, sha256 } from "../../custody/escrow/transcript.ts";
import { EXIT } from "../../shared/errors.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { readInput } from "../files.ts";
import { needed } from "../needed.ts";

/** `keys transcript verify FILE --escrow FILE`: needs no deployment. */
export const run: Run = async (context) => {
  const { io, flags, options, args } = context;
  const file = args[0] ?? "";
  const escrowName = needed(options.escrow, "--escrow");
  const escrowText = await textOf(context, escrowName);
  const escrow = parseEscrow(escrowText, escrowName);
  const entries = await openEntries(await textOf(context, file), escrow, file);
  const dealt = entries.findLast(({ setId }) => setId === escrow.setId);
  if (dealt === undefined) throw invalid(file, `no line is about set ${escrow.setId} of the escrow file`);
  if (dealt.escrowSha256 !== sha256(escrowText)) throw invalid(file, "the escrow file is not the one that it names");
  if (flags.json) printJson(io, { schema: "trustkern.keys-transcript/1", ok: true, entries });
  else for (const entry of entries) io.stdout(renderEntry(entry, escrow.ceremonyKey));
  return EXIT.done;
};

async function textOf({ io }: CommandContext, name: string): Promise<string> {
  return Buffer.from(await readInput(io, name)).toString("utf8");
}

function invalid(path: string, message: string): Error {
  return escrowErrors.error("CUSTODY_KEY_TRANSCRIPT_INVALID", message, { path });
}
