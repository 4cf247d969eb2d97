import { withEntry } from "../../custody/escrow/entry.ts";
import { prove } from "../../custody/escrow/rehearse.ts";
import { wipe } from "../../custody/escrow/secrets.ts";
import { sha256 } from "../../custody/escrow/transcript.ts";
import { sealGenerationPackage } from "../../custody/package.ts";
import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { bringShares, heldBy, openCase, printLast, tryShares, writeTranscript } from "../escrow/case.ts";
import { importKeyOf } from "../escrow/import-key.ts";
import { claimOutput } from "../files.ts";
import { needed } from "../needed.ts";

const SCHEMA = "trustkern.keys-restore/1";

/** `keys restore`: a package for a custody that has lost the generation, from a quorum of shares. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const open = await openCase(context);
  const { importKey, importKeyId } = importKeyOf(context);
  const output = needed(options.output, "--output");
  if (options.dryRun === true) return tryShares(context, open, SCHEMA);
  await confirm(
    context,
    `Whoever has the import key ${importKeyId} will have the private key of generation ${open.escrow.keyId}.\nCompare it with what trustkern keys list shows on the host of custody.`,
  );
  const file = claimOutput(io, output, 0o600);
  try {
    const { escrow, transcript: before } = open;
    const { secrets, used } = await bringShares(context, open);
    try {
      prove(escrow, secrets);
      const { tenant, createdAt } = escrow;
      const { privateKey } = secrets;
      const sealed = sealGenerationPackage({ importKey, privateKey, metadata: { tenant, createdAt } });
      const made = { used: [...used], package: { importKey, sha256: sha256(sealed) } };
      const transcript = await withEntry({ ...heldBy(context), act: "restored", escrow, secrets, before, made });
      // Nothing is handed out that no transcript has.
      writeTranscript(open, transcript);
      file.write(sealed);
      await printLast(context, escrow, transcript, SCHEMA);
    } finally {
      wipe(secrets);
    }
  } finally {
    file.release();
  }
  if (!flags.json) io.stderr(`written: ${file.name}\n`);
  return EXIT.done;
};
