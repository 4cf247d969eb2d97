import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { component } from "../../model/component.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { planKubernetes } from "./plan.ts";
import { idOf, type Loose, PROFILES, rendered, renderedPlan, TESTS, unequal } from "./terraform/test-equality.ts";
import { readObject } from "./terraform/test-reading.ts";
import { unsaidOf } from "./terraform/unsaid.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "./test-deployments.ts";

/** The path of every value that is no object and no list, and of those that are empty. */
function leavesOf(value: Loose, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries = Object.entries(value).filter(([name]) => name !== "//" && name !== "depends_on");
  return entries.length === 0 ? [path] : entries.flatMap(([name, each]) => leavesOf(each, [...path, name]));
}

const CHANGES = {
  drops: (parent: Loose, name: string) =>
    Array.isArray(parent) ? parent.splice(Number(name), 1) : delete parent[name],
  changes: (parent: Loose, name: string) => {
    const value = parent[name];
    if (typeof value === "boolean") parent[name] = !value;
    else if (typeof value === "number") parent[name] = value + 1;
    else if (typeof value === "string") parent[name] = /^\d+$/.test(value) ? `${value}1` : `${value}x`;
    else parent[name] = { x: "y" };
  },
} as const;

function changed(whole: Loose, path: readonly string[], how: keyof typeof CHANGES): void {
  const parent = path.slice(0, -1).reduce((at, name) => at[name], whole);
  CHANGES[how](parent, path.at(-1) ?? "");
}

describe.each(PROFILES)("the Terraform resources of profile %s", (profile) => {
  const { objects, resources, stack } = TESTS[profile];

  it("say what the exported objects say, field by field, and there is none more of either", () => {
    expect(unequal(resources, objects)).toEqual([]);
    expect(Object.values(resources).flatMap((named) => Object.keys(named))).toHaveLength(objects.length);
  });

  it("have no Secret, and no resource of a kind that is not ours", () => {
    expect(Object.keys(resources).filter((type) => !/^kubernetes_[a-z_]+_v[12]$/.test(type))).toEqual([]);
    expect(Object.keys(resources)).not.toContain("kubernetes_secret_v1");
    expect(Object.keys(stack).toSorted()).toEqual(["//", "provider", "resource", "terraform"]);
  });

  it("come after their namespace, and pods after what they name and after the policy that allows nothing", () => {
    const [namespace] = Object.keys(resources.kubernetes_namespace_v1 ?? {});
    for (const [type, named] of Object.entries(resources)) {
      for (const [name, resource] of Object.entries(named)) {
        const before: string[] = resource.depends_on ?? [];
        if (type === "kubernetes_namespace_v1") {
          expect(before).toEqual([]);
          continue;
        }
        expect(before, name).toContain(`kubernetes_namespace_v1.${namespace}`);
        const pod = resource.spec?.template?.spec;
        const maps = (pod?.volume ?? []).flatMap(({ config_map }: Loose) => (config_map ? [config_map.name] : []));
        const wanted = [
          `kubernetes_namespace_v1.${namespace}`,
          ...(pod === undefined
            ? []
            : [
                `kubernetes_service_account_v1.${pod.service_account_name}`,
                "kubernetes_network_policy_v1.default-deny",
              ]),
          ...maps.map((map: string) => `kubernetes_config_map_v1.${map}`),
        ];
        expect(before.toSorted(), name).toEqual([...new Set(wanted)].toSorted());
        for (const address of before) {
          const [type = "", ...rest] = address.split(".");
          expect(resources[type]).toHaveProperty([rest.join(".")]);
        }
      }
    }
  });

  it("are the same bytes for the same deployment", () => {
    expect(stableJson(rendered(KUBERNETES_FILES[profile]).stack)).toBe(stableJson(stack));
  });
});

describe("one leaf", () => {
  const { objects, resources } = TESTS["eu-hosted"];
  const kinds = Object.entries(resources).flatMap(([type, named]) =>
    Object.entries(named).map((each) => [type, ...each] as const),
  );
  const how = fc.constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[]));

  it("of any resource that is dropped or changed is found", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.nat(), how, ([type, name, resource], seed, change) => {
        const leaves = leavesOf(resource);
        const other = structuredClone(resource);
        changed(other, leaves[seed % leaves.length] ?? [], change);
        const object = objects.filter((each) => idOf(each) === idOf(readObject(type, resource)));
        expect(unequal({ [type]: { [name]: resource } }, object)).toEqual([]);
        expect(unequal({ [type]: { [name]: other } }, object)).not.toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it("of any exported object that is dropped or changed is found", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.nat(), how, ([type, name, resource], seed, change) => {
        const object = objects.find((each) => idOf(each) === idOf(readObject(type, resource)));
        const leaves = leavesOf(object);
        const other = structuredClone(object);
        changed(other, leaves[seed % leaves.length] ?? [], change);
        expect(unequal({ [type]: { [name]: resource } }, [other])).not.toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

it("says the same of a Deployment, which no profile's deployment has", () => {
  const deployment = deploymentOf(KUBERNETES_FILES["eu-hosted"]);
  const tiny = component({
    ...({ name: "0tiny", zone: "operations", holds: [], image: "tiny", files: [], network: false } as const),
    health: { kind: "command", command: ["/bin/ok"], startupSeconds: 30 },
    limits: { memoryMiB: 64, pids: 16, cpus: 0.5 },
    environment: { PRICE: ["$", "{x} %", "{y} $$", "{z}"].join("") },
  });
  const pin = { reference: "registry.example/tiny:1", digest: `sha256:${"b".repeat(64)}` };
  const images = { source: "registry", images: { tiny: pin } } as const;
  const model = { engine: "kubernetes", components: [tiny], flows: [] } as const;
  const { objects, resources } = renderedPlan(planKubernetes(model, { deployment, images }));
  expect(objects.map(({ kind }) => kind)).toContain("Deployment");
  expect(Object.keys(resources.kubernetes_deployment_v1 ?? {})).toEqual(["_0tiny"]);
  expect(unequal(resources, objects)).toEqual([]);
});

it("leaves out one member of the API, of each PodDisruptionBudget, and tells so", () => {
  const { plan } = testPlan(deploymentOf(KUBERNETES_FILES["eu-hosted"]));
  const budgets = plan.objects.filter(({ kind }) => kind === "PodDisruptionBudget");
  expect(budgets.length).toBeGreaterThan(0);
  expect(unsaidOf(plan.objects)).toEqual(
    budgets.map((budget) => ({ object: idOf(budget), path: "spec.unhealthyPodEvictionPolicy", value: "AlwaysAllow" })),
  );
});
