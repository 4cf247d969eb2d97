import { rmSync } from "node:fs";
import { join } from "node:path";
import type { DockerCli } from "../../host/docker-cli.ts";
import { readState, settledHosting } from "../../host/state.ts";
import type { DockerPlan } from "../plan.ts";
import { describePlan, driftThatStays, type PlanDescription } from "../terraform/describe-plan.ts";
import type { ProgressEvent } from "../terraform/progress.ts";
import type { Terraform } from "../terraform/terraform.ts";
import { driftsForGood } from "./drift.ts";
import { inspectContainers } from "./inspect.ts";
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
 * a network, or does not see, such as a port that only the container has, is planned to be made anew.
 */
export async function settlePlan(
  file: string,
  terraform: Terraform,
  { plan }: Pick<Rendered, "plan">,
  docker: DockerCli,
): Promise<PlanDescription> {
  const names = resourceNames(plan);
  const description = describePlan(await terraform.show(file), names);
  const replace = [...new Set([...driftThatStays(description), ...(await unseenDrift(description, plan, docker))])];
  if (replace.length === 0) return description;
  await terraform.plan(file, { replace });
  return describePlan(await terraform.show(file), names);
}

/** Addresses of containers that differ from the stack, and that a plan leaves as they are. */
async function unseenDrift(
  { changes }: PlanDescription,
  plan: DockerPlan,
  docker: DockerCli,
): Promise<readonly string[]> {
  const found = await inspectContainers(
    docker,
    plan.containers.map(({ name }) => name),
  );
  return [...found]
    .filter(([name, container]) => driftsForGood(name, plan, container))
    .map(([name]) => `docker_container.${name}`)
    .filter((address) => !changes.some((change) => change.address === address));
}

async function planInto(
  file: string,
  terraform: Terraform,
  rendered: Rendered,
  docker: DockerCli,
): Promise<PlanDescription> {
  await terraform.plan(file);
  return settlePlan(file, terraform, rendered, docker);
}

async function planEnd(file: string, terraform: Terraform, { plan }: Rendered): Promise<PlanDescription> {
  await terraform.plan(file, { destroy: true });
  return describePlan(await terraform.show(file), resourceNames(plan));
}

/**
 * What a deploy would change, and what was changed behind the last one's back. Changes no container.
 * @throws RENDERED_STACK_REFUSED, HOSTING_MOVED unless it is the end that is planned, STATE_LOCKED, DOCKER_UNREACHABLE, and what
 * OpenTofu fails with
 */
export async function planDocker(options: PlanOptions): Promise<PlanDescription> {
  const rendered = renderDocker(options);
  const { deployment } = options;
  const state = readState(rendered.layout.stateFile, deployment.tenant, "docker");
  if (options.destroy !== true) settledHosting(state, deployment);
  return inWorkspace(options, rendered, async ({ terraform, sealPlan }) => {
    const file = options.planFile ?? join(rendered.layout.terraformDir, "last.plan");
    try {
      const description = options.destroy
        ? await planEnd(file, terraform, rendered)
        : await planInto(file, terraform, rendered, options.docker);
      if (options.planFile !== undefined) sealPlan(file);
      return description;
    } finally {
      if (options.planFile === undefined) rmSync(file, { force: true });
    }
  });
}
