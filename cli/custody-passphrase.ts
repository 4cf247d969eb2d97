import type { Deployment } from "../model/deployment.ts";
import { waitsForPerson } from "../modules/custody/key-store.ts";
import { custodyServiceErrors } from "../services/custody/errors.ts";
import type { AskPassphrase } from "../stacks/host/trust/unseal.ts";
import { type AskHidden, askHidden } from "./ask-hidden.ts";
import type { CommandContext } from "./command.ts";
import { cliErrors } from "./errors.ts";

/**
 * Asks for the passphrase of the decryption keys where custody waits for a person, at the terminal alone: no flag, file or
 * variable takes it. For a store that is not there yet, twice.
 * @returns undefined where the keys open without a person; what it resolves to is the caller's to overwrite
 */
export function passphraseAsked(
  { io, flags }: Pick<CommandContext, "io" | "flags">,
  deployment: Deployment,
  ask: AskHidden = askHidden,
): AskPassphrase | undefined {
  if (!waitsForPerson(deployment)) return undefined;
  return async (storeIsNew) => {
    if (!io.isTerminal.stdin || !io.isTerminal.stderr || flags.nonInteractive) {
      throw custodyServiceErrors.error("CUSTODY_PASSPHRASE_NEEDED", "nobody can be asked for the passphrase here");
    }
    const question = storeIsNew ? "New passphrase of the decryption keys" : "Passphrase of the decryption keys";
    const text = await ask(`${question}, not shown: `, io.cancelled);
    if (text === "") throw cliErrors.error("CANCELLED", "no passphrase was typed: custody stays sealed");
    if (storeIsNew && (await ask("The same again: ", io.cancelled)) !== text) {
      throw cliErrors.error("CANCELLED", "the two passphrases differ: custody stays sealed");
    }
    return Buffer.from(text, "utf8");
  };
}
