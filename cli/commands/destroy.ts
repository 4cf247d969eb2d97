import { EXIT } from "../../shared/errors.ts";
import { destroyDocker } from "../../stacks/docker/life/destroy.ts";
import { planDocker } from "../../stacks/docker/life/plan-docker.ts";
import { assertDeployed } from "../../stacks/docker/life/status.ts";
import { printJson, type Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { dockerTarget } from "../docker-target.ts";
import { isOnKubernetes } from "../engine-of.ts";
import { planText } from "../plan-view.ts";
import { resourceView } from "../resource-view.ts";

/** `destroy`: containers and networks go; what was stored stays, unless `--volumes`. */
export const run: Run = async (context) => {
  if (await isOnKubernetes(context)) return (await import("./destroy-kubernetes.ts")).run(context);
  const { io, flags, options, paint } = context;
  const { options: target } = await dockerTarget(context);
  assertDeployed(target);
  const volumes = options.volumes === true;
  const { name } = target.deployment;
  if (options.dryRun === true) {
    const plan = await planDocker({ ...target, destroy: true, onResource: () => undefined });
    if (flags.json) printJson(io, { schema: "trustkern.plan/1", ...plan, planFile: null });
    else io.stdout(planText(plan, paint));
    return EXIT.done;
  }
  await confirm(
    context,
    volumes
      ? `This removes the deployment "${name}" and everything that it stored, decryption keys included: nothing brings them back.`
      : `This removes every container and network of the deployment "${name}"; what it stored stays in ${target.dir}.`,
  );
  const view = resourceView(context);
  const report = await destroyDocker({ ...target, volumes, onResource: view.onResource }).finally(view.stop);
  if (flags.json) printJson(io, report);
  else {
    const kept = report.kept ? `what was stored is kept in ${target.dir}` : "nothing is kept";
    io.stdout(`${report.removed} containers and networks removed; ${kept}\n`);
  }
  return EXIT.done;
};
