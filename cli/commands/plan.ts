import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { assertPins } from "../../operations/images/pins.ts";
import { EXIT } from "../../shared/errors.ts";
import { planDocker } from "../../stacks/docker/life/plan-docker.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { dockerTarget } from "../docker-target.ts";
import { isOnKubernetes } from "../engine-of.ts";
import { cliErrors } from "../errors.ts";
import { planText } from "../plan-view.ts";

/** `plan`: what a deploy would change, in the words of the model. */
export const run: Run = async (context) => {
  if (await isOnKubernetes(context)) return (await import("./plan-kubernetes.ts")).run(context);
  const { io, flags, options, paint } = context;
  const { options: target } = await dockerTarget(context);
  assertPins(target.images);
  const planFile = typeof options.out === "string" ? resolve(io.cwd, options.out) : undefined;
  if (planFile !== undefined) assertFolder(planFile);
  const plan = await planDocker({ ...target, planFile, onResource: () => undefined });
  if (flags.json) printJson(io, { schema: "trustkern.plan/1", ...plan, planFile: planFile ?? null });
  else io.stdout(planText(plan, paint));
  if (planFile !== undefined) sayNext(context, planFile);
  return plan.changes.length + plan.drift.length > 0 && options.detailedExitcode === true ? EXIT.changes : EXIT.done;
};

/** @throws CLI_OUTPUT before anything is planned */
function assertFolder(planFile: string): void {
  if (existsSync(dirname(planFile))) return;
  throw cliErrors.error("CLI_OUTPUT", `cannot write "${planFile}": there is no folder "${dirname(planFile)}"`, {
    path: "--out",
  });
}

function sayNext({ io, flags }: CommandContext, planFile: string): void {
  if (!flags.json && flags.progress !== "quiet")
    io.stderr(`the plan is in ${planFile}; trustkern deploy ${planFile} does it\n`);
}
