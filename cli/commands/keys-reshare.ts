import { assertHandedOut, reshare } from "../../custody/escrow/ceremony.ts";
import { wipe } from "../../custody/escrow/secrets.ts";
import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { loadDeployment } from "../deployment-file.ts";
import { assertTenantOf, bringShares, heldBy, openCase, tryShares } from "../escrow/case.ts";
import { describeDeal, handingOf, handOut } from "../escrow/hand-out.ts";
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
  const { print } = handing;
  const held = { ...heldBy(context), ...quorum, print };
  await assertHandedOut(held);
  if (options.dryRun === true) return tryShares(context, open, SCHEMA, describeDeal(quorum, handing));
  const { escrow, transcript: before } = open;
  const { secrets, used } = await bringShares(context, open);
  try {
    const rehearse = options.rehearse === true;
    const made = await reshare({ ...held, escrow, secrets, used, before, rehearse });
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
