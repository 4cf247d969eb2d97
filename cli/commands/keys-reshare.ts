import { reshare } from "../../custody/escrow/ceremony.ts";
import { wipe } from "../../custody/escrow/secrets.ts";
import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { loadDeployment } from "../deployment-file.ts";
import { assertTenantOf, bringShares, heldBy, openCase, tryShares } from "../escrow/case.ts";
import { handingOf, handOut } from "../escrow/hand-out.ts";
import { quorumOf } from "../escrow/quorum.ts";

const SCHEMA = "trustkern.keys-reshare/1";

/** `keys reshare`: other holders, or another threshold, for the same private key. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const open = await openCase(context);
  const deployment = await loadDeployment(io, flags);
  assertTenantOf(open, deployment.tenant);
  const quorum = quorumOf(context, deployment);
  const handing = handingOf(context);
  if (options.dryRun === true) return tryShares(context, open, SCHEMA);
  const { escrow, transcript: before } = open;
  const { secrets, used } = await bringShares(context, open);
  try {
    const { print } = handing;
    const rehearse = options.rehearse === true;
    const made = await reshare({ ...heldBy(context), ...quorum, escrow, secrets, used, before, print, rehearse });
    await handOut(context, made, handing, SCHEMA);
  } finally {
    wipe(secrets);
  }
  if (!flags.json) {
    io.stderr(
      `the set ${escrow.setId} still restores this key with its own escrow file: have its shares and every copy of that file destroyed\n`,
    );
  }
  return EXIT.done;
};
