import { rmSync } from "node:fs";
import { join } from "node:path";
import { describePlan, driftThatStays, type PlanDescription } from "../terraform/describe-plan.ts";
import type { ProgressEvent } from "../terraform/progress.ts";
import type { Terraform } from "../terraform/terraform.ts";
import type { DockerOptions } from "./options.ts";
import { type Rendered, renderDocker } from "./render.ts";
import { resourceNames } from "./words.ts";
import { inWorkspace } from "./workspace.ts";

/** How to plan. */
export interface PlanOptions extends DockerOptions {
  /** Absolute path of a file that keeps the plan for `deploy`. @default the plan is not kept */
  readonly planFile?: string | undefined;
  /** Whether it is the end of the deployment that is planned. @default false */
  readonly destroy?: boolean;
  readonly onResource: (event: ProgressEvent) => void;
}

/**
 * Reads a plan file in the words of the model. What the provider sees and leaves as it is, such as a container that was cut off
 * a network, is planned to be made anew.
 */
export async function settlePlan(file: string, terraform: Terraform, { plan }: Rendered): Promise<PlanDescription> {
  const names = resourceNames(plan);
  const description = describePlan(await terraform.show(file), names);
  const replace = driftThatStays(description);
  if (replace.length === 0) return description;
  await terraform.plan(file, { replace });
  return describePlan(await terraform.show(file), names);
}

async function planInto(file: string, terraform: Terraform, rendered: Rendered): Promise<PlanDescription> {
  await terraform.plan(file);
  return settlePlan(file, terraform, rendered);
}

async function planEnd(file: string, terraform: Terraform, { plan }: Rendered): Promise<PlanDescription> {
  await terraform.plan(file, { destroy: true });
  return describePlan(await terraform.show(file), resourceNames(plan));
}

/**
 * What a deploy would change, and what was changed behind the last one's back. Changes no container.
 * @throws RENDERED_STACK_REFUSED, STATE_LOCKED, DOCKER_UNREACHABLE, and what OpenTofu fails with
 */
export async function planDocker(options: PlanOptions): Promise<PlanDescription> {
  const rendered = renderDocker(options);
  return inWorkspace(options, rendered, async ({ terraform, sealPlan }) => {
    const file = options.planFile ?? join(rendered.layout.terraformDir, "last.plan");
    try {
      const description = options.destroy
        ? await planEnd(file, terraform, rendered)
        : await planInto(file, terraform, rendered);
      if (options.planFile !== undefined) sealPlan(file);
      return description;
    } finally {
      if (options.planFile === undefined) rmSync(file, { force: true });
    }
  });
}
