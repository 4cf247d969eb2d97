import type { CheckId } from "../../checks.ts";
import type { CheckResult } from "../../result.ts";

/** What mends a finding in a cluster, where that is something else than on a host. */
const FIXES: Readonly<Partial<Record<CheckId, string>>> = {
  "data.broker":
    "scale the broker to none, find out who published it in the clear, and remove the file from its volume before it is started again",
  "data.operations":
    "scale the component to none, find out who sent it there, and remove the file from its volume before it is started again",
  "data.logs":
    "find the program that logs messages and replace its image; the lines end with the pod, and where the platform's own agent has sent them",
  "data.engine": "remove the object, or the file from the state directory, and find out who wrote it there",
};

/** What places are called here. */
export const PLACES_IN_CLUSTER = {
  "data.logs": "logs of containers",
  "data.metrics": "answers of Prometheus",
  "data.engine": "objects, and files of the state directory,",
} as const;

/** A result with what mends it here. */
export function inClusterWords(result: CheckResult): CheckResult {
  const fix = FIXES[result.id];
  if (fix === undefined) return result;
  return { ...result, findings: result.findings.map((one) => ({ ...one, fix })) };
}
