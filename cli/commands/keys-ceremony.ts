import { assertHandedOut, holdKeyCeremony } from "../../custody/escrow/ceremony.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { loadDeployment } from "../deployment-file.ts";
import { heldBy } from "../escrow/case.ts";
import { assertNothingExposed } from "../escrow/exposed.ts";
import { describeDeal, handingOf, handOut, renderPlan } from "../escrow/hand-out.ts";
import { importKeyOf } from "../escrow/import-key.ts";
import { quorumOf } from "../escrow/quorum.ts";

const SCHEMA = "trustkern.keys-ceremony/1";

/** `keys ceremony`: makes a generation offline, with its escrow, for one custody to import. */
export const run: Run = async (context) => {
  assertNothingExposed(context);
  const { io, flags, options } = context;
  const deployment = await loadDeployment(io, flags);
  const { tenant } = deployment;
  const quorum = quorumOf(context, deployment);
  const { importKey, importKeyId } = importKeyOf(context);
  const handing = handingOf(context);
  const { print } = handing;
  const rehearse = options.rehearse === true;
  const request = { ...heldBy(context), ...quorum, tenant, importKey, rehearse, print };
  await assertHandedOut(request);
  if (options.dryRun === true) {
    const plan = describeDeal(quorum, handing);
    if (flags.json) printJson(io, { schema: SCHEMA, dryRun: true, tenant, importKeyId, rehearse, ...plan });
    else io.stdout(`tenant: ${tenant}\nimport key: ${importKeyId}\n${renderPlan(plan)}`);
    return EXIT.done;
  }
  await confirm(
    context,
    `Whoever has the import key ${importKeyId} will have this generation's private key.\nCompare it with what trustkern keys list shows on the host of custody.`,
  );
  await handOut(context, await holdKeyCeremony(request), handing, SCHEMA);
  if (!flags.json && !rehearse) io.stderr("not rehearsed: trustkern keys rehearse proves that the shares restore\n");
  return EXIT.done;
};
