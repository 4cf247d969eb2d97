import { backToBefore } from "../bundle-site.ts";
import type { Run } from "../command.ts";
import { confirm } from "../confirm.ts";

/** `bundle rollback`: what the newer version stored since is set aside with its state. */
export const run: Run = async (context) => {
  if (context.options.dryRun !== true) {
    await confirm(
      context,
      "This takes the site back to the version before, with the rows that it had then: what was stored since is set aside in backup/. Keys, certificates, revocations and used tokens stay as they are.",
    );
  }
  return backToBefore(context);
};
