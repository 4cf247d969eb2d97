import { judgeRunning } from "./index.ts";
import type { Observation, ReachAttempt, TlsAttempt } from "./observation.ts";
import { deployment, rendered, wellSeen } from "./test-observation.ts";

function one<T>(found: T | undefined): T {
  if (found === undefined) throw new TypeError("the test's deployment has no such part");
  return found;
}

/** What a deployment shows of which every check is proven. */
export const good = wellSeen();

/** Judges it, with something changed. */
export const judge = (changes: Partial<Observation> = {}, more: object = {}) =>
  judgeRunning({ ...good, ...changes }, { rendered, deployment: { ...deployment, ...more } });

/** Outcome of each check that is not proven, with the codes and paths of what is found. */
export const told = (changes: Partial<Observation>, more: object = {}) =>
  Object.fromEntries(
    judge(changes, more)
      .filter(({ outcome }) => outcome !== "proven")
      .map(({ id, outcome, findings }) => [
        id,
        [outcome, ...new Set(findings.map(({ code, path }) => `${code} ${path}`))],
      ]),
  );

/** Another word of Docker on a container. */
export const facts = (name: string, changes: object): Partial<Observation> => ({
  everything: good.everything.map((one) => (one.name === name ? { ...one, facts: { ...one.facts, ...changes } } : one)),
});

/** What Docker says of a container. */
export const factsOf = (name: string) => one(good.everything.find((each) => each.name === name)).facts;

/** Another state of a component. */
export const component = (
  name: string,
  change: (container: never) => object,
  condition = "healthy",
): Partial<Observation> => {
  const { container } = one(good.components.get(name));
  const changed = { condition, container: change(structuredClone(container) as never) } as never;
  return { components: new Map([...good.components, [name, changed]]) };
};

/** Another answer of some ports. */
export const reach = (
  wanted: (one: ReachAttempt) => boolean,
  reached: ReachAttempt["reached"],
): Partial<Observation> => ({
  reach: good.reach.map((one) => (wanted(one) ? { ...one, reached } : one)),
});

/** Another answer to some handshakes. */
export const tls = (
  wanted: (one: TlsAttempt) => boolean,
  answer: Partial<TlsAttempt["answer"]> | undefined,
): Partial<Observation> => ({
  tls: good.tls.map((one) =>
    wanted(one) ? { ...one, answer: answer && { outcome: "taken", version: "TLSv1.3", why: "", ...answer } } : one,
  ),
});

/** Something else in a namespace. */
export const inside = (name: string, answer: object): Partial<Observation> => {
  const seen = one(good.inside.get(name)) as { answer: object };
  return { inside: new Map([...good.inside, [name, { answer: { ...seen.answer, ...answer } } as never]]) };
};

/** A collector that does not run. */
export const stopped = {
  ...component("collector", (one: object) => ({ ...one, State: { Running: false, Status: "exited" } }), "stopped"),
  inside: new Map([...good.inside].filter(([name]) => name !== "collector")),
  reach: good.reach.filter(({ from, to }) => from !== "collector" && to !== "collector"),
};

/** One container more on the host. */
export const stranger = (more: object): Partial<Observation> => ({
  everything: [
    ...good.everything,
    { ...one(good.everything[0]), id: "x", name: "x", labels: {}, sources: [], networks: [], ...more },
  ],
});
