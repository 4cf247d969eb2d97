import { renderFindings } from "../../model/findings.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";
import { pulumiErrors } from "./errors.ts";
import { plainCopy } from "./plain.ts";
import type { PlannedObject } from "./planned-object.ts";

/**
 * Looks at one object before it is registered, and may give back another one of the same kind and name: with less memory, or more
 * time to end. What it is handed cannot be changed; nothing, or undefined, leaves the object as it is.
 */
export type Transform = (object: PlannedObject) => PlannedObject | undefined;

/** What the objects of an engine are held against. */
export interface Rules<Planned extends PlannedObject> {
  /** What an object is called in a report. */
  readonly pathOf: (object: Planned) => string;
  /** Everything that objects grant and the model does not, by {@link pathOf}. */
  readonly grantedBeyond: (objects: readonly Planned[]) => readonly Finding[];
}

/**
 * The objects as they are registered: as they are planned, or after the transform and held against the rules.
 * @throws PULUMI_TRANSFORM with everything that is no object, PULUMI_TRANSFORM_REFUSED with everything by which what was given back
 * grants too much
 */
export function transformed<Planned extends PlannedObject>(
  planned: readonly Planned[],
  transform: Transform | undefined,
  { pathOf, grantedBeyond }: Rules<Planned>,
): readonly Planned[] {
  if (transform === undefined) return planned;
  const results = planned.map((object) => resultOf(object, transform, pathOf(object)));
  const wrong = results.flatMap(({ findings }) => findings);
  if (wrong.length > 0) {
    const message = renderFindings("the transform gave back what cannot be registered", wrong);
    throw pulumiErrors.error("PULUMI_TRANSFORM", message, { path: wrong[0]?.path, cause: wrong });
  }
  const kept = results.map(({ object }) => object);
  const { fix } = pulumiErrors.entries.PULUMI_TRANSFORM_REFUSED;
  const findings = grantedBeyond(kept).map((finding) => ({ ...finding, fix }));
  if (findings.length === 0) return kept;
  const message = renderFindings("what the transform gave back grants what the model does not", findings);
  throw pulumiErrors.error("PULUMI_TRANSFORM_REFUSED", message, { path: findings[0]?.path, cause: findings });
}

interface Result<Planned> {
  readonly object: Planned;
  readonly findings: readonly Finding[];
}

function resultOf<Planned extends PlannedObject>(object: Planned, transform: Transform, path: string): Result<Planned> {
  const plain = plainCopy(object.inputs, path).value as never;
  const original = Object.freeze({ ...object, inputs: plain }) as Planned;
  const given = givenBack(original, transform);
  if ("thrown" in given) return { object: original, findings: [refusal(path, `threw: ${given.thrown}`)] };
  if (given.back === undefined) return { object: original, findings: [] };
  const { value, findings } = plainCopy(given.back, "");
  if (findings.length > 0) {
    return { object: original, findings: findings.map((each) => ({ ...each, path: placeIn(path, each.path) })) };
  }
  const another = isPlanned(value) ? strangeness(value, original) : "gave back no object with kind, name and inputs";
  return another === undefined
    ? { object: value as unknown as Planned, findings: [] }
    : { object: original, findings: [refusal(path, another)] };
}

function givenBack(
  object: PlannedObject,
  transform: Transform,
): { readonly back: unknown } | { readonly thrown: string } {
  try {
    return { back: transform(object) };
  } catch (thrown) {
    return { thrown: messageOf(thrown) };
  }
}

function isPlanned(value: unknown): value is Readonly<Record<"kind" | "name" | "inputs", unknown>> {
  if (typeof value !== "object" || value === null || !("inputs" in value)) return false;
  return typeof value.inputs === "object" && value.inputs !== null && !Array.isArray(value.inputs);
}

function strangeness(value: Readonly<Record<string, unknown>>, { kind, name }: PlannedObject): string | undefined {
  if (value.kind !== kind || value.name !== name) return "gave back an object of another kind or name";
  const more = Object.keys(value).filter((member) => !["kind", "name", "inputs"].includes(member));
  return more.length === 0 ? undefined : `gave back ${more.join(", ")} as well; accepted: kind, name, inputs`;
}

/** `inputs.memory` of what was given back for `container.collector` is `container.collector.memory`. */
function placeIn(object: string, path: string): string {
  const within = path.replace(/^inputs\.?/, "");
  return within === "" ? object : `${object}.${within}`;
}

function refusal(path: string, message: string): Finding {
  return { code: "PULUMI_TRANSFORM", path, message, fix: pulumiErrors.entries.PULUMI_TRANSFORM.fix };
}
