import { EXIT } from "../../shared/errors.ts";
import { changesOf } from "../../stacks/kubernetes/life/changes.ts";
import { changesText } from "../changes-view.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { clusterOptions } from "../kubernetes-target.ts";

/** `plan` on Kubernetes: what a deploy would change, by the word of the API server. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  if (options.out !== undefined) {
    throw cliErrors.error("CLI_USAGE", "a plan of a cluster is not kept: the next deploy asks the API server anew", {
      path: "--out",
      fix: "trustkern export kubernetes -o FOLDER keeps the objects themselves",
    });
  }
  const changes = await changesOf(await clusterOptions(context));
  if (flags.json) printJson(io, { ...changes, planFile: null });
  else io.stdout(changesText(changes, paint));
  return changes.changes.length > 0 && options.detailedExitcode === true ? EXIT.changes : EXIT.done;
};
