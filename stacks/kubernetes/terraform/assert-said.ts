import { renderFindings } from "../../../model/findings.ts";
import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { isAttributes, shown } from "../../docker/check/subject.ts";
import { kubernetesStackErrors } from "../errors.ts";
import type { Attributes } from "./attributes.ts";

/** What the JSON of a stack has to have: attributes by the type and the name of their resource. */
export type ExpectedResources = Readonly<Record<string, Readonly<Record<string, Attributes>>>>;

/**
 * Holds the JSON of a stack against what was to be said: the bindings drop a member that they do not know, without a word, and an
 * override changes what was checked. Resources beyond the expected ones are whoever's who made the stack.
 * @throws KUBERNETES_TERRAFORM with every difference
 */
export function assertSaid(stack: unknown, expected: ExpectedResources): void {
  const resources = isAttributes(stack) && isAttributes(stack.resource) ? stack.resource : {};
  const findings = Object.entries(expected).flatMap(([type, named]) =>
    Object.entries(named).flatMap(([name, attributes]) => {
      const path = `${type}.${name}`;
      const ofType = resources[type];
      const said = isAttributes(ofType) ? ofType[name] : undefined;
      if (!isAttributes(said)) return [finding(path, "is missing")];
      // Where in its tree cdktf has the resource.
      const { "//": _, ...attributesSaid } = said;
      return unlike(attributesSaid, attributes, path);
    }),
  );
  if (findings.length === 0) return;
  const message = renderFindings("the stack is not what the plan says", findings);
  throw kubernetesStackErrors.error("KUBERNETES_TERRAFORM", message, { path: findings[0]?.path, cause: findings });
}

function unlike(said: unknown, expected: unknown, path: string): readonly Finding[] {
  if (stableJson(said) === stableJson(expected)) return [];
  if (isAttributes(said) && isAttributes(expected)) {
    return [...new Set([...Object.keys(said), ...Object.keys(expected)])].flatMap((name) => {
      const at = `${path}.${name}`;
      if (!Object.hasOwn(expected, name)) return [finding(at, "is not in the plan")];
      return Object.hasOwn(said, name) ? unlike(said[name], expected[name], at) : [finding(at, "is lost")];
    });
  }
  if (Array.isArray(said) && Array.isArray(expected) && said.length === expected.length) {
    return expected.flatMap((each, index) => unlike(said[index], each, `${path}[${index}]`));
  }
  return [finding(path, `is ${shown(said)}; accepted: ${shown(expected)}`)];
}

function finding(path: string, message: string): Finding {
  const { fix } = kubernetesStackErrors.entries.KUBERNETES_TERRAFORM;
  return { code: "KUBERNETES_TERRAFORM", path, message, fix };
}
