import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { cliErrors } from "./errors.ts";

/** Asks for one line that is not shown. */
export type AskHidden = (question: string, signal: AbortSignal) => Promise<string>;

/**
 * Asks on the terminal without showing what is typed.
 * @throws CANCELLED for Ctrl-C and Ctrl-D
 */
export const askHidden: AskHidden = async (question, signal) => {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  // The terminal shows nothing from here on: the question comes after that, and who pastes waits for it.
  process.stderr.write(question);
  const left = new AbortController();
  prompt.once("SIGINT", () => left.abort());
  prompt.once("close", () => left.abort());
  try {
    return await prompt.question("", { signal: AbortSignal.any([signal, left.signal]) });
  } catch {
    throw cliErrors.error("CANCELLED", "nothing was typed: nothing was changed");
  } finally {
    prompt.close();
    process.stderr.write("\n");
  }
};
