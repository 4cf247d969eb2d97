import { resolve } from "node:path";
import { EXIT } from "../../shared/errors.ts";
import { planDocker } from "../../stacks/docker/life/plan-docker.ts";
import { renderPlan } from "../../stacks/docker/terraform/describe-plan.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { dockerTarget } from "../docker-target.ts";
import type { Paint } from "../paint.ts";

/** `plan`: what a deploy would change, in the words of the model. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const { options: target } = await dockerTarget(context);
  const planFile = typeof options.out === "string" ? resolve(io.cwd, options.out) : undefined;
  const plan = await planDocker({ ...target, planFile, onResource: () => undefined });
  if (flags.json) printJson(io, { schema: "trustkern.plan/1", ...plan, planFile: planFile ?? null });
  else
    io.stdout(
      renderPlan(plan)
        .map((line) => `${painted(line, paint)}\n`)
        .join(""),
    );
  if (planFile !== undefined) sayNext(context, planFile);
  return plan.changes.length + plan.drift.length > 0 && options.detailedExitcode === true ? EXIT.changes : EXIT.done;
};

function sayNext({ io, flags }: CommandContext, planFile: string): void {
  if (!flags.json && flags.progress !== "quiet")
    io.stderr(`the plan is in ${planFile}; trustkern deploy ${planFile} does it\n`);
}

function painted(line: string, paint: Paint): string {
  if (line.startsWith("+")) return paint("green", line);
  if (line.startsWith("-")) return paint("red", line);
  return /^[~±!]/.test(line) ? paint("yellow", line) : line;
}
