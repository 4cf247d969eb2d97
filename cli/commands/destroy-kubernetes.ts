import { EXIT } from "../../shared/errors.ts";
import { openCluster } from "../../stacks/kubernetes/life/cluster.ts";
import { placeOf } from "../../stacks/kubernetes/life/deployed-to.ts";
import { destroyCluster } from "../../stacks/kubernetes/life/destroy.ts";
import { assertDeployed } from "../../stacks/kubernetes/life/site.ts";
import { printJson, type Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { clusterOptions } from "../kubernetes-target.ts";

/** `destroy` on Kubernetes: the objects go; claims, keys and secrets stay, unless `--volumes`. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const target = await clusterOptions(context);
  const { plan, layout, config } = await openCluster(target);
  assertDeployed({ layout, options: target });
  const { name, kubernetes } = target.deployment;
  const volumes = options.volumes === true;
  const cluster = placeOf(config);
  const place = `namespace "${kubernetes.namespace}" of context "${cluster.context}" (${cluster.server})`;
  if (options.dryRun === true) {
    const objects = plan.objects.filter(({ kind }) => volumes || kind !== "Namespace");
    const changes = [
      ...objects.map(({ kind, metadata }) => ({ action: "delete", kind, name: metadata.name })),
      ...plan.secrets.map(({ secret }) => ({ action: "delete", kind: "Secret", name: secret })),
    ];
    const { namespace } = kubernetes;
    const described = { schema: "trustkern.plan/1", deployment: name, namespace, cluster };
    if (flags.json) printJson(io, { ...described, changes, planFile: null });
    else io.stdout([`in ${place}:\n`, ...changes.map((each) => `- ${each.kind} ${each.name}\n`)].join(""));
    return EXIT.done;
  }
  await confirm(
    context,
    volumes
      ? `This removes ${place} with the deployment "${name}" and everything that it stored, decryption keys included: nothing brings them back.`
      : `This removes every pod and object of the deployment "${name}"; its claims stay in ${place}, its keys and secrets in ${target.dir}.`,
  );
  const report = await destroyCluster({ ...target, volumes });
  if (flags.json) printJson(io, report);
  else io.stdout(`${report.removed} objects removed; ${report.kept ? "what was stored is kept" : "nothing is kept"}\n`);
  return EXIT.done;
};
