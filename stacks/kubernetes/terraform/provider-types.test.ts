import { TerraformResource } from "cdktf";
import { describe, expect, it } from "vitest";
import { jsonOf } from "../../cdktf/stack.ts";
import { KubernetesStack } from "../cdktf.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../test-deployments.ts";
import { type Loose, PROFILES } from "./test-equality.ts";

/** Whether a value is of the type that the schema of the provider has, which the bindings keep for their other form of a stack. */
const IS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  stringList: (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
  stringMap: (value) =>
    typeof value === "object" && value !== null && Object.values(value).every((each) => typeof each === "string"),
};

/** Every attribute of another type than the provider's, and how many there are in all. */
function mistyped(attributes: Loose, path: string): { readonly wrong: readonly string[]; readonly all: number } {
  const each = Object.entries<Loose>(attributes).map(([name, { value, isBlock, storageClassType }]) => {
    const at = `${path}.${name}`;
    if (!isBlock) {
      const fits = IS[storageClassType];
      return { wrong: fits?.(value) === true ? [] : [`${at} is no ${storageClassType}`], all: 1 };
    }
    const blocks = (Array.isArray(value) ? value : [value]).map((block, index) => mistyped(block, `${at}[${index}]`));
    return { wrong: blocks.flatMap(({ wrong }) => wrong), all: blocks.reduce((sum, { all }) => sum + all, 0) };
  });
  return { wrong: each.flatMap(({ wrong }) => wrong), all: each.reduce((sum, { all }) => sum + all, 0) };
}

function attributesOf(profile: (typeof PROFILES)[number], change: (objects: Loose[]) => void = () => undefined): Loose {
  const objects = structuredClone(testPlan(deploymentOf(KUBERNETES_FILES[profile])).plan.objects) as Loose[];
  change(objects);
  const found: Loose = {};
  jsonOf((scope) => {
    const stack = new KubernetesStack(scope, "demo", { plan: { objects, secrets: [] }, state: undefined });
    for (const child of stack.node.children) {
      if (!(child instanceof TerraformResource)) continue;
      const { synthesizeHclAttributes } = child as Loose;
      found[child.node.id] = { value: synthesizeHclAttributes.call(child), isBlock: true };
    }
    return stack;
  });
  return found;
}

describe("attributes", () => {
  it.each(PROFILES)("have the types of the provider's schema in profile %s", (profile) => {
    const { wrong, all } = mistyped(attributesOf(profile), profile);
    expect(wrong).toEqual([]);
    expect(all).toBeGreaterThan(1000);
  });

  it("would be seen with another type", () => {
    const { wrong } = mistyped(
      attributesOf("eu-hosted", (objects) => {
        const { spec } = objects.find(({ kind }) => kind === "HorizontalPodAutoscaler");
        spec.maxReplicas = "6";
        spec.metrics[0].resource.target.averageUtilization = "70";
        objects.find(({ kind }) => kind === "ServiceAccount").automountServiceAccountToken = "false";
      }),
      "stack",
    );
    expect(wrong).toHaveLength(3);
  });
});
