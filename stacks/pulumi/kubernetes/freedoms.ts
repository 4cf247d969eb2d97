import { isAttributes } from "../../docker/check/subject.ts";
import type { KubernetesObject } from "./planned-object.ts";

type Attributes = Readonly<Record<string, unknown>>;

/**
 * Annotations that only Pulumi's provider reads, and what each may say: whether, and for how many seconds, `pulumi up` waits for an
 * object.
 */
const ANNOTATIONS: readonly (readonly [name: string, accepted: RegExp])[] = [
  ["pulumi.com/skipAwait", /^true$/],
  ["pulumi.com/timeoutSeconds", /^[1-9]\d{0,4}$/],
];

/** What an amount is counted in, by the form that a plan has. A thousandth of a byte is a quantity too, and no memory. */
const PROCESSORS: Readonly<Record<string, number>> = { m: 0.001, "": 1 };
const BYTES: Readonly<Record<string, number>> = { Mi: 2 ** 20, Gi: 2 ** 30 };

/**
 * What a transform gave back, with what it may say otherwise put back as it was planned: annotations of Pulumi's own, and less
 * processors, memory or disk of a container. All the rest stays for the check of rendered objects to see.
 */
export function withoutFreedoms(given: KubernetesObject, planned: KubernetesObject): unknown {
  const [said, wanted]: readonly [Attributes, Attributes] = [given.inputs as Attributes, planned.inputs as Attributes];
  return withLessResources({ ...said, metadata: withoutOwn(said.metadata) }, wanted);
}

function withoutOwn(metadata: unknown): unknown {
  if (!isAttributes(metadata) || !isAttributes(metadata.annotations)) return metadata;
  const { annotations, ...rest } = metadata;
  const others = Object.entries(annotations).filter(([name, value]) => !isOwn(name, value));
  return others.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(others) };
}

function isOwn(name: string, value: unknown): boolean {
  return ANNOTATIONS.some(([known, accepted]) => name === known && typeof value === "string" && accepted.test(value));
}

/** `spec.template.spec.containers`, with the planned `resources` where there are no more of any, and as many requested as are the limit. */
function withLessResources(said: Attributes, planned: Attributes): unknown {
  return along(["spec", "template", "spec", "containers"], said, planned, (containers, wanted) => {
    if (!Array.isArray(containers) || !Array.isArray(wanted)) return containers;
    return containers.map((container: unknown, index) => {
      const [now, was]: readonly unknown[] = [container, wanted[index]];
      if (!isAttributes(now) || !isAttributes(was) || !isLess(now.resources, was.resources)) return now;
      return { ...now, resources: was.resources };
    });
  });
}

/** A value with what lies at a path below replaced, where both have that path. */
function along(
  path: readonly string[],
  said: unknown,
  planned: unknown,
  change: (said: unknown, planned: unknown) => unknown,
): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return change(said, planned);
  if (!isAttributes(said) || !isAttributes(planned)) return said;
  if (!Object.hasOwn(said, first) || !Object.hasOwn(planned, first)) return said;
  return { ...said, [first]: along(rest, said[first], planned[first], change) };
}

function isLess(said: unknown, planned: unknown): boolean {
  if (!isAttributes(said) || !isAttributes(planned) || !sameNames(said, planned)) return false;
  const { requests, limits } = said;
  if (!isAttributes(requests) || !isAttributes(limits) || !isAttributes(planned.limits)) return false;
  const most = planned.limits;
  if (!sameNames(limits, most) || !sameNames(requests, most)) return false;
  return Object.keys(most).every((name) => {
    const units = name === "cpu" ? PROCESSORS : BYTES;
    const [amount, bound] = [amountOf(limits[name], units), amountOf(most[name], units)];
    return limits[name] === requests[name] && amount > 0 && amount <= bound;
  });
}

const sameNames = (one: Attributes, other: Attributes): boolean =>
  Object.keys(one).sort().join() === Object.keys(other).sort().join();

/** An amount in one of the forms that a plan has; what has another is none. */
function amountOf(quantity: unknown, units: Readonly<Record<string, number>>): number {
  const [, digits, unit = ""] = typeof quantity === "string" ? (/^([1-9]\d{0,5})(m|Mi|Gi)?$/.exec(quantity) ?? []) : [];
  return Number(digits ?? Number.NaN) * (units[unit] ?? Number.NaN);
}
