import { z } from "zod";
import { terraformErrors } from "./errors.ts";
import { type Fact, factsOf, isNothing, type NetworkWords } from "./facts.ts";
import { nameOf, type ResourceNames, wordsOf } from "./names.ts";

const MAX_SHOWN = 60;
const SENSITIVE = "(sensitive)";
/** What Docker makes anew for each container, and what says nothing about the deployment. */
const COMPUTED: Readonly<Record<string, readonly string[]>> = {
  docker_container: ["id", "hostname", "container_logs", "exit_code", "bridge", "timeouts", "working_dir"],
  docker_network: ["id", "scope"],
};

const Attributes = z.record(z.string(), z.unknown()).nullish();

const ResourceChange = z.object({
  address: z.string(),
  mode: z.enum(["managed", "data"]),
  type: z.string(),
  change: z.object({
    actions: z.array(z.enum(["no-op", "create", "read", "update", "delete", "forget"])),
    before: Attributes,
    after: Attributes,
    after_unknown: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
    before_sensitive: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
    after_sensitive: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
  }),
});

/** What `show -json PLANFILE` prints, format 1.x, as far as it is read here. */
const PlanJson = z.object({
  format_version: z.string().regex(/^1\./),
  resource_changes: z.array(ResourceChange).default([]),
  resource_drift: z.array(ResourceChange).default([]),
});

type ResourceChange = z.infer<typeof ResourceChange>;

/** One thing about a resource that is not what it was. */
export interface ValueChange {
  /** Such as `memory limit`, `secret "tls.key"`, `published port of 8883/tcp`. */
  readonly what: string;
  /** At most 60 characters; undefined where there was nothing. */
  readonly from: string | undefined;
  /** At most 60 characters; undefined where there will be nothing. */
  readonly to: string | undefined;
}

/** One resource that a deploy would change, or that was changed behind its back. */
export interface PlannedChange {
  /** Terraform address. */
  readonly address: string;
  readonly action: "create" | "update" | "replace" | "delete";
  readonly kind: string;
  readonly name: string;
  /** Empty for a resource that comes or goes as a whole. */
  readonly changes: readonly ValueChange[];
}

/** A plan in the words of the model. */
export interface PlanDescription {
  /** What a deploy would do. */
  readonly changes: readonly PlannedChange[];
  /** What is not as the last deploy left it, whoever changed it. */
  readonly drift: readonly PlannedChange[];
}

/**
 * Reads the output of `show -json PLANFILE`.
 * @throws PLAN_UNUSABLE
 */
export function describePlan(planJson: unknown, names: ResourceNames): PlanDescription {
  const parsed = PlanJson.safeParse(planJson);
  if (!parsed.success) {
    const { path = [], message = "" } = parsed.error.issues[0] ?? {};
    throw terraformErrors.error("PLAN_UNUSABLE", `the plan is not in format 1.x: ${message}`, { path: path.join(".") });
  }
  const { resource_changes, resource_drift } = parsed.data;
  const networkWords = networkWordsOf([...resource_changes, ...resource_drift], names);
  const describe = (all: readonly ResourceChange[]): readonly PlannedChange[] =>
    all.filter(({ mode }) => mode === "managed").flatMap((one) => describeOne(one, names, networkWords));
  // The provider fills in defaults after the first apply; a resource whose facts are all the same did not drift.
  const drift = describe(resource_drift).filter(({ action, changes }) => action === "delete" || changes.length > 0);
  return { changes: describe(resource_changes), drift };
}

/**
 * Addresses of what drifted and would stay so: the provider does not see every difference, a connection cut by hand for one.
 * A plan with these in `replace` mends them.
 */
export function driftThatStays({ changes, drift }: PlanDescription): readonly string[] {
  const mended = new Set(changes.map(({ address }) => address));
  return drift.map(({ address }) => address).filter((address) => !mended.has(address));
}

/** The plan for people, without colours: one line a resource, one for each thing that changes. */
export function renderPlan({ changes, drift }: PlanDescription): readonly string[] {
  const lines = [
    ...(drift.length > 0 ? ["changed since the last deploy:", ...drift.flatMap((one) => linesOf(one, "!")), ""] : []),
    ...changes.flatMap((one) => linesOf(one, SYMBOLS[one.action])),
  ];
  if (changes.length === 0) return [...lines, "no changes"];
  const counts = (Object.keys(SYMBOLS) as PlannedChange["action"][])
    .map((action) => ({ action, count: changes.filter((one) => one.action === action).length }))
    .filter(({ count }) => count > 0)
    .map(({ action, count }) => `${count} to ${action}`);
  return [...lines, "", counts.join(", ")];
}

const SYMBOLS = { create: "+", update: "~", replace: "±", delete: "-" } as const;

function linesOf({ action, kind, name, changes }: PlannedChange, symbol: string): readonly string[] {
  const gone = symbol === "!" && action === "delete" ? " is gone" : "";
  return [
    `${symbol} ${kind} ${name}${gone}`,
    ...changes.map(({ what, from, to }) => `    ${what}: ${from ?? "none"} → ${to ?? "none"}`),
  ];
}

function describeOne(one: ResourceChange, names: ResourceNames, networkWords: NetworkWords): readonly PlannedChange[] {
  const action = actionOf(one.change.actions);
  if (action === undefined) return [];
  const changes = action === "update" || action === "replace" ? valueChanges(one, networkWords) : [];
  return [{ address: one.address, action, ...nameOf(names, one.address), changes }];
}

function actionOf(actions: readonly string[]): PlannedChange["action"] | undefined {
  if (actions.includes("create")) return actions.includes("delete") ? "replace" : "create";
  if (actions.includes("delete")) return "delete";
  return actions.includes("update") ? "update" : undefined;
}

function valueChanges({ type, change }: ResourceChange, networkWords: NetworkWords): readonly ValueChange[] {
  const before = change.before ?? {};
  const after = change.after ?? {};
  const attributes = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((attribute) => !COMPUTED[type]?.includes(attribute) && !isUnknown(change.after_unknown, attribute))
    .sort();
  const seen = new Map<string, ValueChange>();
  for (const attribute of attributes) {
    const from = factMap(factsOf(type, attribute, before[attribute], networkWords));
    const to = factMap(factsOf(type, attribute, after[attribute], networkWords));
    const hidden = isMarked(change.before_sensitive, attribute) || isMarked(change.after_sensitive, attribute);
    for (const what of new Set([...from.keys(), ...to.keys()])) {
      const [old, next] = [from.get(what), to.get(what)];
      if (old?.value === next?.value) continue;
      seen.set(what, {
        what,
        from: hidden && old ? SENSITIVE : shown(old),
        to: hidden && next ? SENSITIVE : shownNext(old, next),
      });
    }
  }
  return [...seen.values()];
}

function factMap(facts: readonly Fact[]): ReadonlyMap<string, Fact> {
  return new Map(facts.map((fact) => [fact.what, fact]));
}

function shown(fact: Fact | undefined): string | undefined {
  if (fact === undefined) return undefined;
  const text = (fact.shown ?? fact.value).replace(/\s+/g, " ");
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text;
}

/** Two values that look the same where they are shown are still two. */
function shownNext(old: Fact | undefined, next: Fact | undefined): string | undefined {
  const text = shown(next);
  return text !== undefined && text === shown(old) ? "another value" : text;
}

/** Known after apply: Docker or another resource fills it in. */
function isUnknown(unknown: ResourceChange["change"]["after_unknown"], attribute: string): boolean {
  return unknown === true || (typeof unknown === "object" && unknown[attribute] === true);
}

function isMarked(marks: ResourceChange["change"]["before_sensitive"], attribute: string): boolean {
  return marks === true || (typeof marks === "object" && !isNothing(marks[attribute]));
}

function networkWordsOf(all: readonly ResourceChange[], names: ResourceNames): NetworkWords {
  const words = new Map(
    all
      .filter(({ type }) => type === "docker_network")
      .flatMap(({ address, change }) =>
        [change.before, change.after].flatMap((side) =>
          [side?.name, side?.id]
            .filter((id) => typeof id === "string")
            .map((id): readonly [string, string] => [id, wordsOf(names, address)]),
        ),
      ),
  );
  return (dockerName) => words.get(dockerName) ?? `network ${dockerName}`;
}
