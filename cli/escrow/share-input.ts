import { decryptShare, isAgeFile } from "../../custody/escrow/age-share.ts";
import type { EscrowFile } from "../../custody/escrow/escrow-file.ts";
import { checkShares, type GivenShare } from "../../custody/escrow/recover.ts";
import { type AskHidden, askHidden } from "../ask-hidden.ts";
import { namesIn } from "../ceremony-options.ts";
import type { CommandContext } from "../command.ts";
import { readInput } from "../files.ts";

/**
 * The shares of a command: files that its arguments name (`-` for stdin), text or age; or, without arguments on a terminal,
 * typed one after the other until a quorum is there.
 * @throws CLI_FILE, CUSTODY_SHARE_UNREADABLE, CANCELLED
 */
export async function readShares(
  context: CommandContext,
  escrow: EscrowFile,
  ask: AskHidden = askHidden,
): Promise<readonly GivenShare[]> {
  const { io, flags, args, options } = context;
  if (args.length === 0 && io.isTerminal.stdin && io.isTerminal.stderr && !flags.nonInteractive) {
    return typedShares(context, escrow, ask);
  }
  const identities: string[] = [];
  for (const name of namesIn(options.identity)) identities.push(textOf(await readInput(io, name)));
  const shares: GivenShare[] = [];
  for (const source of args) {
    const bytes = await readInput(io, source);
    shares.push({ source, text: isAgeFile(bytes) ? await decryptShare(bytes, identities, source) : textOf(bytes) });
  }
  return shares;
}

/** Each is held against the escrow file at once, so that who mistyped is asked again. An empty line ends it. */
async function typedShares({ io }: CommandContext, escrow: EscrowFile, ask: AskHidden): Promise<readonly GivenShare[]> {
  const shares: GivenShare[] = [];
  while (shares.length < escrow.threshold) {
    const source = `typed share ${shares.length + 1}`;
    const text = await ask(`Share ${shares.length + 1} of ${escrow.threshold}, not shown: `, io.cancelled);
    if (text.trim() === "") break;
    const { findings } = checkShares(escrow, [...shares, { source, text }]);
    for (const { message } of findings) io.stderr(`${message}\n`);
    if (findings.length === 0) shares.push({ source, text });
  }
  return shares;
}

/** The bytes of what was read are no longer needed then. */
function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("utf8");
  bytes.fill(0);
  return text;
}
