import { escrowErrors } from "../../custody/escrow/errors.ts";
import { looksLikeShare } from "../../custody/escrow/share.ts";
import type { CommandContext } from "../command.ts";

/**
 * Refuses a command line with a share or an age identity on it, before anything prints or logs what is there.
 * @throws CUSTODY_SHARE_EXPOSED
 */
export function assertNothingExposed({ args, options }: CommandContext): void {
  const given = [...args, ...Object.values(options).filter((value) => typeof value === "string")];
  if (!given.some((text) => looksLikeShare(text) || /AGE-SECRET-KEY-/i.test(text))) return;
  const message = "the command line has a share or an age identity itself, not the name of a file with one";
  throw escrowErrors.error("CUSTODY_SHARE_EXPOSED", message);
}
