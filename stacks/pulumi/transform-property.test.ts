import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stableJson } from "../../shared/stable-json.ts";
import { exampleArgs, planDocker } from "../../test/support/pulumi.ts";
import { checkedObjects } from "./checked-objects.ts";
import type { PlannedObject } from "./planned-object.ts";
import type { Transform } from "./transform.ts";

const { objects: plain, context } = planDocker(exampleArgs("single-host"));

describe("whatever a transform does to an object", () => {
  /** What may differ from the plan at all: less of what is bounded, and how long an end may take. */
  const FREE = ["memory", "memorySwap", "cpus", "stopTimeout", "destroyGraceSeconds"];
  const ORDERED_OTHERWISE = ["labels", "mounts", "networksAdvanced", "ports", "envs", "devices"];
  const containers = plain.filter((object) => object.kind === "container");

  const isEmpty = (each: unknown) => typeof each === "object" && each !== null && Object.keys(each).length === 0;

  /** An object without what is free; an empty list or map says as much as none. */
  function strict(object: PlannedObject): unknown {
    const inputs = Object.entries(object.inputs).filter(([name, each]) => !FREE.includes(name) && !isEmpty(each));
    const sorted = inputs.map(([name, value]) => {
      return [
        name,
        ORDERED_OTHERWISE.includes(name) ? (value as unknown[]).map((each) => stableJson(each)).sort() : value,
      ];
    });
    return JSON.parse(stableJson({ ...object, inputs: Object.fromEntries(sorted) }));
  }

  const attribute = fc.constantFrom(
    ...new Set(containers.flatMap(({ inputs }) => Object.keys(inputs))),
    ...[
      "privileged",
      "pidMode",
      "command",
      "volumes",
      "uploads",
      "env",
      "cap_add",
      "__proto__",
      "constructor",
      "hosts",
    ],
  );
  const someText = fc.constantFrom("host", "0:0", "ALL", "/", "/srv/tk/secrets/custody", "", "no", "bridge");
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    someText,
    fc.array(someText, { maxLength: 2 }),
    fc.constantFrom(undefined, true, false, 0, 1, 64, -1, 1e9),
  );

  it("it is refused, or registers what the plan says but for lower bounds", () => {
    fc.assert(
      fc.property(fc.constantFrom(...containers), attribute, value, (target, name, to) => {
        const transform = (object: PlannedObject): unknown => {
          if (object.kind !== "container" || object.name !== target.name) return undefined;
          return { ...object, inputs: Object.fromEntries([...Object.entries(object.inputs), [name, to]]) };
        };
        let objects: readonly PlannedObject[];
        try {
          objects = checkedObjects(plain, transform as Transform, context);
        } catch (thrown) {
          expect((thrown as { code: string }).code).toMatch(/^PULUMI_TRANSFORM/);
          return;
        }
        expect(objects.map(strict)).toEqual(plain.map(strict));
        const found = objects.find((object) => object.kind === "container" && object.name === target.name);
        if (found?.kind !== "container" || target.kind !== "container") throw new Error("the container is gone");
        expect(found.inputs.memory).toBeLessThanOrEqual(target.inputs.memory ?? 0);
        expect(found.inputs.memory).toBeGreaterThan(0);
        expect(found.inputs.memorySwap).toBe(found.inputs.memory);
        expect(Number(found.inputs.cpus)).toBeLessThanOrEqual(Number(target.inputs.cpus));
        expect(Number(found.inputs.cpus)).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });
});
