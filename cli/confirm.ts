import { createInterface } from "node:readline/promises";
import type { CommandContext } from "./command.ts";
import { cliErrors } from "./errors.ts";

/**
 * Asks before something that cannot be taken back; `--yes` answers.
 * @throws CONFIRMATION_NEEDED where nobody can be asked, CANCELLED for any answer but `yes`
 */
export async function confirm({ io, flags }: CommandContext, question: string): Promise<void> {
  if (flags.yes) return;
  if (flags.nonInteractive || !io.isTerminal.stdin || !io.isTerminal.stderr) {
    throw cliErrors.error("CONFIRMATION_NEEDED", question);
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`${question}\nType yes to go on: `, { signal: io.cancelled }).catch(() => {
      io.stderr("\n");
      return "";
    });
    if (answer.trim() !== "yes") throw cliErrors.error("CANCELLED", "the answer was not yes: nothing was changed");
  } finally {
    prompt.close();
  }
}
