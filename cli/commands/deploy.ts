import { resolve } from "node:path";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { assertImages } from "../../operations/images/pins.ts";
import { EXIT } from "../../shared/errors.ts";
import { deployDocker } from "../../stacks/docker/life/deploy.ts";
import { planDocker } from "../../stacks/docker/life/plan-docker.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { passphraseAsked } from "../custody-passphrase.ts";
import { dockerTarget } from "../docker-target.ts";
import { isOnKubernetes } from "../engine-of.ts";
import { cliErrors } from "../errors.ts";
import { planText } from "../plan-view.ts";
import { resourceView } from "../resource-view.ts";
import { signingKeyPlace } from "../signing-key-place.ts";

/** `deploy [PLANFILE]`: makes the running containers what the deployment says. */
export const run: Run = async (context) => {
  if (await isOnKubernetes(context)) return (await import("./deploy-kubernetes.ts")).run(context);
  const { io, flags, options, args, paint } = context;
  assertForDocker(context);
  const { options: target, lock } = await dockerTarget(context);
  const { deployment } = target;
  const model = buildModel(deployment, referencePlacement(deployment));
  await assertImages(deployment, model, lock, target.docker);
  if (options.dryRun === true) {
    const plan = await planDocker({ ...target, onResource: () => undefined });
    if (flags.json) printJson(io, { schema: "trustkern.plan/1", ...plan, planFile: null });
    else io.stdout(planText(plan, paint));
    return EXIT.done;
  }
  const [file] = args;
  const planFile = file === undefined ? undefined : resolve(io.cwd, file);
  const view = resourceView(context);
  const onProgress = (what: string): void => {
    view.stop();
    target.onProgress(what);
  };
  io.cancelled.addEventListener("abort", () => onProgress("interrupted: what has begun is finished first"), {
    once: true,
  });
  const report = await deployDocker({
    ...target,
    onProgress,
    planFile,
    wait: options.wait === true,
    startKey: signingKeyPlace(context, "--start-key", options.startKey),
    passphrase: passphraseAsked(context, deployment),
    onResource: view.onResource,
  }).finally(view.stop);
  if (flags.json) printJson(io, report);
  else {
    const { length } = report.components;
    const what = report.healthy ? paint("green", `all ${length} components are well`) : `${length} components run`;
    io.stdout(`${what}; ${report.changed === 0 ? "nothing had to change" : `${report.changed} changes`}\n`);
    if (!report.healthy) io.stdout("trustkern status says how they are\n");
  }
  return EXIT.done;
};

/** What only the engine kubernetes has is not left out without a word. @throws CLI_USAGE */
function assertForDocker({ options }: CommandContext): void {
  for (const [value, path] of [
    [options.timeout, "--timeout"],
    [options.appliedElsewhere, "--applied-elsewhere"],
  ] as const) {
    if (value === undefined) continue;
    throw cliErrors.error("CLI_USAGE", `${path} is for the engine kubernetes`, { path, fix: "leave it out" });
  }
}
