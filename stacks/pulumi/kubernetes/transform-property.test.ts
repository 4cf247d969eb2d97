import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../../../model/findings.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { clusterArgs, planCluster } from "../../../test/support/pulumi.ts";
import { KUBERNETES_FILES } from "../../kubernetes/test-deployments.ts";
import type { Transform } from "../transform.ts";
import { checkedKubernetesObjects, type PlannedKubernetes } from "./plan-kubernetes.ts";
import { idOf, type KubernetesObject } from "./planned-object.ts";

// biome-ignore lint/suspicious/noExplicitAny: leaves are reached by path
type Loose = any;
type Path = readonly (string | number)[];

const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];

/** Every leaf, and every object and list, by its path. */
function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, each]) =>
    placesIn(each, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...below];
}

type Change = (parent: Loose, key: string | number) => unknown;

function changed(object: KubernetesObject, path: Path, change: Change): KubernetesObject {
  const inputs = structuredClone(object.inputs) as Loose;
  const parent = path.slice(0, -1).reduce((at: Loose, key) => at[key], inputs);
  change(parent, path.at(-1) ?? "");
  return { ...object, inputs };
}

const remove: Change = (parent, key) => {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
};

/** Which of the objects that a transform gives back are refused; one check is of all of them. */
function refusedOf({ objects, context }: PlannedKubernetes, given: readonly KubernetesObject[]): ReadonlySet<string> {
  const byId = new Map(objects.map((object, index) => [idOf(object), given[index]]));
  const transform = (object: Loose) => byId.get(idOf(object));
  try {
    expect(checkedKubernetesObjects(objects, transform as Transform, context)).toEqual(given);
    return new Set();
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== "PULUMI_TRANSFORM_REFUSED") throw thrown;
    const paths = findingsOf(thrown).map(({ path }) => path);
    const isOf = (id: string, path: string) => path === id || path.startsWith(`${id}.`) || path.startsWith(`${id}[`);
    return new Set(objects.map(idOf).filter((id) => paths.some((path) => isOf(id, path))));
  }
}

const amount = (text: string) => {
  const [, digits, unit = ""] = /^([1-9]\d*)(m|Mi|Gi)?$/.exec(text) ?? [];
  return Number(digits) * ({ m: 0.001, "": 1, Mi: 2 ** 20, Gi: 2 ** 30 }[unit] ?? Number.NaN);
};

/** An object without what a transform may say, and the amounts that it may lower. A reading of its own. */
function strict({ inputs }: KubernetesObject): { readonly text: string; readonly amounts: readonly number[] } {
  const copy = structuredClone(inputs) as Loose;
  const annotations: object = copy.metadata.annotations ?? {};
  const others = Object.entries(annotations).filter(([key]) => !/^pulumi\.com\/(skipAwait|timeoutSeconds)$/.test(key));
  copy.metadata.annotations = Object.fromEntries(others);
  const amounts: number[] = [];
  for (const container of copy.spec?.template?.spec?.containers ?? []) {
    const { requests = {}, limits = {} } = container.resources ?? {};
    expect(requests).toEqual(limits);
    for (const name of Object.keys(limits).sort()) amounts.push(amount(limits[name]));
    container.resources = Object.keys(limits).sort();
  }
  // Of lists whose members have a name the order says nothing, to a cluster or to the check.
  const sorted = JSON.parse(stableJson(copy), (_, value) =>
    Array.isArray(value) && value.every((each) => typeof each === "object")
      ? value.map((each) => stableJson(each)).sort()
      : value,
  );
  return { text: stableJson(sorted), amounts };
}

const someText = fc.constantFrom("", "true", "0", "root", "custody", "/", "default", "*", "1Mi", "100m", "1", "64Gi");
const value = fc.oneof(
  someText,
  fc.constantFrom<unknown>(null, true, false, 0, 1, 2, -1, 443, 65_535, {}, []),
  fc.jsonValue({ maxDepth: 2 }),
);
const addedName = fc.constantFrom("hostNetwork", "annotations", "x", "limits", "pulumi.com/skipAwait");
const change: fc.Arbitrary<Change> = fc.oneof(
  value.map(
    (to): Change =>
      (parent, key) => {
        parent[key] = to;
      },
  ),
  fc.constant(remove),
  fc.tuple(addedName, value).map(
    ([name, to]): Change =>
      (parent) => {
        if (Array.isArray(parent)) parent.push(to);
        else parent[name] = to;
      },
  ),
  fc.constant<Change>((parent, key) => {
    if (Array.isArray(parent)) parent.push(structuredClone(parent[Number(key)]));
    else parent[`${key}2`] = parent[key];
  }),
);

describe.each(PROFILES)("whatever is changed in each object of profile %s", (profile) => {
  const planned = planCluster(clusterArgs(KUBERNETES_FILES[profile]));
  const places = planned.objects.map(({ inputs }) => placesIn(inputs).slice(1));

  it("the object is refused, or says otherwise only one of the few things that it may", () => {
    const changes = fc.array(fc.tuple(fc.nat(), change), { minLength: places.length, maxLength: places.length });
    fc.assert(
      fc.property(changes, (how) => {
        const given = planned.objects.map((object, index) => {
          const [at, edit] = how[index] ?? [0, remove];
          const own = places[index] ?? [];
          return changed(object, own[at % own.length] ?? [], edit);
        });
        const refused = refusedOf(planned, given);
        for (const [index, object] of planned.objects.entries()) {
          if (refused.has(idOf(object))) continue;
          const [now, was] = [strict(given[index] ?? object), strict(object)];
          expect(now.text).toBe(was.text);
          expect(now.amounts).toHaveLength(was.amounts.length);
          now.amounts.forEach((each, nth) => {
            expect(each).toBeGreaterThan(0);
            expect(each).toBeLessThanOrEqual(was.amounts[nth] ?? 0);
          });
        }
      }),
      // Each run changes every object once, in one check: with more than a hundred objects that is enough of them.
      { numRuns: 12 },
    );
  });
});

it("sees every single leaf of every object: what has one less is refused, and no other is", {
  timeout: 180_000,
}, () => {
  const planned = planCluster(clusterArgs(KUBERNETES_FILES["air-gapped"]));
  const leaves = planned.objects.map(({ inputs }) =>
    placesIn(inputs).filter((path) => {
      const found = path.reduce((at: Loose, key) => at[key], inputs);
      return path.length > 0 && (typeof found !== "object" || Object.keys(found).length === 0);
    }),
  );
  const most = Math.max(...leaves.map(({ length }) => length));
  expect(most).toBeGreaterThan(100);
  for (let nth = 0; nth < most; nth++) {
    const given = planned.objects.map((object, index) => {
      const path = leaves[index]?.[nth];
      return path === undefined ? object : changed(object, path, remove);
    });
    const touched = planned.objects.filter((_, index) => leaves[index]?.[nth] !== undefined);
    expect([...refusedOf(planned, given)].sort(), String(nth)).toEqual(touched.map(idOf).sort());
  }
});
