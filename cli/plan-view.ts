import { type PlanDescription, renderPlan } from "../stacks/docker/terraform/describe-plan.ts";
import type { Paint } from "./paint.ts";

/** A plan for people: one line for each resource, one for each thing that changes. */
export function planText(plan: PlanDescription, paint: Paint): string {
  return renderPlan(plan)
    .map((line) => `${painted(line, paint)}\n`)
    .join("");
}

function painted(line: string, paint: Paint): string {
  if (line.startsWith("+")) return paint("green", line);
  if (line.startsWith("-")) return paint("red", line);
  return /^[~±!]/.test(line) ? paint("yellow", line) : line;
}
