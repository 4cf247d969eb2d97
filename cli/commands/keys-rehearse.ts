import { withEntry } from "../../custody/escrow/entry.ts";
import { prove } from "../../custody/escrow/rehearse.ts";
import { wipe } from "../../custody/escrow/secrets.ts";
import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { bringShares, heldBy, openCase, printLast, tryShares, writeTranscript } from "../escrow/case.ts";

const SCHEMA = "trustkern.keys-rehearse/1";

/** `keys rehearse`: whether these shares restore the generation's private key, which is then forgotten. */
export const run: Run = async (context) => {
  const open = await openCase(context);
  if (context.options.dryRun === true) return tryShares(context, open, SCHEMA);
  const { escrow, transcript: before } = open;
  const { secrets, used } = await bringShares(context, open);
  try {
    prove(escrow, secrets);
    const made = { used: [...used] };
    const transcript = await withEntry({ ...heldBy(context), act: "rehearsed", escrow, secrets, before, made });
    writeTranscript(open, transcript);
    await printLast(context, escrow, transcript, SCHEMA);
    return EXIT.done;
  } finally {
    wipe(secrets);
  }
};
