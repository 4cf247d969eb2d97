import { createInterface } from "node:readline/promises";
import { grouped } from "../../certs/ceremony/render-transcript.ts";
import type { PrintedShare } from "../../custody/escrow/ceremony.ts";
import type { EscrowFile } from "../../custody/escrow/escrow-file.ts";
import type { CommandContext } from "../command.ts";
import { cliErrors } from "../errors.ts";

/** Clears the screen and what can be scrolled back to. */
const CLEAR = "\u001b[2J\u001b[3J\u001b[H";

/** Waits for Enter. */
export type Wait = (question: string, signal: AbortSignal) => Promise<void>;

/**
 * Prints shares as text on stdout, which was asked for: on a terminal one after the other, each gone before the next holder
 * looks; else a page each.
 * @throws CANCELLED
 */
export async function printShares(
  { io, flags }: CommandContext,
  shares: readonly PrintedShare[],
  escrow: EscrowFile,
  wait: Wait = waitForEnter,
): Promise<void> {
  const terminal = io.isTerminal.stdin && io.isTerminal.stdout && io.isTerminal.stderr && !flags.nonInteractive;
  for (const { index, holder, text } of shares) {
    const whose = `share ${index} of ${escrow.shares.length}, for ${holder}`;
    if (terminal) await wait(`Next is ${whose}. Enter shows it, when nobody else looks: `, io.cancelled);
    io.stdout(`${whose}\n${whatFor(escrow)}\n${text}\n`);
    if (terminal) await wait("\nEnter, when it is copied and compared: ", io.cancelled);
    io.stdout(terminal ? CLEAR : "\f");
  }
}

/** What a sheet belongs to, for who finds it in ten years. */
function whatFor({ tenant, keyId, setId, threshold, shares, createdAt, dealtAt }: EscrowFile): string {
  return [
    `of the decryption key ${grouped(keyId)} of ${tenant}, made ${createdAt}`,
    `set ${grouped(setId)}, dealt ${dealtAt}: ${threshold} of ${shares.length} shares restore the key, with escrow-${keyId}.json of that set`,
    "",
  ].join("\n");
}

async function waitForEnter(question: string, signal: AbortSignal): Promise<void> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const left = new AbortController();
  prompt.once("close", () => left.abort());
  try {
    await prompt.question(question, { signal: AbortSignal.any([signal, left.signal]) });
  } catch {
    throw cliErrors.error("CANCELLED", "the shares were not all handed out: nothing was written, begin anew");
  } finally {
    prompt.close();
  }
}
