import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stableJson } from "../../../shared/stable-json.ts";
import { clusterArgs, planCluster } from "../../../test/support/pulumi.ts";
import { checkRendered } from "../../kubernetes/check/index.ts";
import { KUBERNETES_FILES } from "../../kubernetes/test-deployments.ts";
import { withoutFreedoms } from "./freedoms.ts";
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

function withPlace(inputs: unknown, path: Path, change: (parent: Loose, key: string | number) => unknown): unknown {
  const copy = structuredClone(inputs) as Loose;
  const parent = path.slice(0, -1).reduce((at: Loose, key) => at[key], copy);
  change(parent, path.at(-1) ?? "");
  return copy;
}

const QUANTITY = /^([1-9]\d*)(m|Mi|Gi)?$/;
const amount = (text: string) => {
  const [, digits, unit = ""] = QUANTITY.exec(text) ?? [];
  return Number(digits) * ({ m: 0.001, "": 1, Mi: 2 ** 20, Gi: 2 ** 30 }[unit] ?? Number.NaN);
};

/** An object without what a transform may say, and a list of pairs of amounts that it may lower. An own reading. */
function strict({ inputs }: KubernetesObject): { readonly text: string; readonly amounts: readonly number[] } {
  const copy = structuredClone(inputs) as Loose;
  const annotations: object = copy.metadata.annotations ?? {};
  if (Object.keys(annotations).every((key) => /^pulumi\.com\/(skipAwait|timeoutSeconds)$/.test(key))) {
    delete copy.metadata.annotations;
  }
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

describe.each(PROFILES)("whatever is changed in an object of profile %s", (profile) => {
  const { objects: plain, context } = planCluster(clusterArgs(KUBERNETES_FILES[profile]));
  const places = plain.flatMap((object, index) =>
    placesIn(object.inputs)
      .slice(1)
      .map((path) => ({ index, path, id: idOf(object) })),
  );

  /** Findings for the objects with one of them changed. */
  const judged = (index: number, inputs: unknown) => {
    const original = plain[index] as KubernetesObject;
    const given = { ...original, inputs } as KubernetesObject;
    const seen = plain.map((object, at) => (at === index ? withoutFreedoms(given, original) : object.inputs));
    return { given, original, findings: checkRendered(seen, context) };
  };

  const someText = fc.constantFrom("", "true", "0", "root", "custody", "/", "default", "*", "1Mi", "100m", "1", "64Gi");
  const value = fc.oneof(
    someText,
    fc.constantFrom<unknown>(null, true, false, 0, 1, 2, -1, 443, 65_535, {}, []),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const change = fc.oneof(
    fc.record({ kind: fc.constant("replace" as const), value }),
    fc.record({ kind: fc.constant("remove" as const) }),
    fc.record({
      kind: fc.constant("add" as const),
      value,
      name: fc.constantFrom("hostNetwork", "annotations", "x", "limits", "pulumi.com/skipAwait"),
    }),
    fc.record({ kind: fc.constant("repeat" as const) }),
  );

  it("it is refused, or is one of the few things that may be said otherwise", () => {
    fc.assert(
      fc.property(fc.constantFrom(...places), change, ({ index, path }, how) => {
        const before = plain[index]?.inputs;
        const inputs = withPlace(before, path, (parent, key) => {
          if (Array.isArray(parent)) {
            if (how.kind === "replace") parent[Number(key)] = how.value;
            else if (how.kind === "remove") parent.splice(Number(key), 1);
            else parent.push(how.kind === "add" ? how.value : structuredClone(parent[Number(key)]));
          } else {
            if (how.kind === "replace") parent[key] = how.value;
            else if (how.kind === "remove") delete parent[key];
            else if (how.kind === "add") parent[how.name] = how.value;
            else parent[`${key}2`] = parent[key];
          }
        });
        const { given, original, findings } = judged(index, inputs);
        if (findings.length > 0) return;
        const [now, was] = [strict(given), strict(original)];
        expect(now.text).toBe(was.text);
        expect(now.amounts).toHaveLength(was.amounts.length);
        now.amounts.forEach((each, at) => {
          expect(each).toBeGreaterThan(0);
          expect(each).toBeLessThanOrEqual(was.amounts[at] ?? 0);
        });
      }),
      { numRuns: 150 },
    );
  });
});

it("sees every single leaf of every object: each one gone is refused, with its path", () => {
  const { objects: plain, context } = planCluster(clusterArgs(KUBERNETES_FILES["air-gapped"]));
  const [kinds, kept]: [Set<string>, string[]] = [new Set(), []];
  for (const original of plain) {
    // One of a kind has the members of all: a check of all leaves of all objects says no more, and takes minutes.
    if (kinds.has(original.kind) && original.name !== "custody") continue;
    kinds.add(original.kind);
    for (const path of placesIn(original.inputs).slice(1)) {
      const inputs = withPlace(original.inputs, path, (parent, key) => {
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
      });
      const given = { ...original, inputs } as KubernetesObject;
      const findings = checkRendered([withoutFreedoms(given, original)], context);
      const own = findings.filter(
        ({ message, path: at }) =>
          message !== "is missing" || at.startsWith(`${idOf(original)}.`) || at === idOf(original),
      );
      if (own.length === 0) kept.push(`${idOf(original)} ${path.join(".")}`);
    }
  }
  expect(kept).toEqual([]);
});
