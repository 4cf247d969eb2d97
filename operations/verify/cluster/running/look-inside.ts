import { messageOf, TrustKernError } from "../../../../shared/errors.ts";
import { listeners } from "../../../../shared/net-tables.ts";
import type { Answered } from "../../running/observation.ts";
import { inTurn } from "../../running/observe/in-turn.ts";
import { type InsideAnswer, type InsideQuestion, lookInside } from "../inside/programs.ts";
import { askInside } from "../inside/run-inside.ts";
import type { ClusterSubject } from "../subject.ts";
import { planAttempts } from "./attempts.ts";
import type { ClusterObservation, PodAttempt, PodInside, SeenPod } from "./observation.ts";

/** Pods that are looked into at one time, and the longest that one may take, in milliseconds. */
const AT_ONCE = 4;
const LIMIT_MS = 45_000;

/** Name that somebody outside has, and nobody inside (RFC 2606). */
const OUTSIDE_NAME = "example.com";

/** A pod's network and configuration as it has them itself. */
export async function lookIntoPods(
  subject: Pick<ClusterSubject, "cluster">,
  pods: readonly SeenPod[],
): Promise<ClusterObservation["inside"]> {
  const seen = await inTurn(pods, AT_ONCE, async (pod) => [pod.name, await into(subject, pod)] as const);
  return new Map(seen);
}

/** Each component reads its own files; the network is the pod's. */
async function into(subject: Pick<ClusterSubject, "cluster">, one: SeenPod): Promise<Answered<PodInside>> {
  const files = new Map<string, string>();
  let first: InsideAnswer | undefined;
  for (const { name, files: own } of one.pod.components) {
    const paths = own.map(({ path }) => path);
    const seen = await ask(subject, one, name, { reach: [], names: [], files: paths });
    if ("why" in seen) return seen;
    first ??= seen.answer;
    for (const [at, path] of paths.entries()) files.set(`${name} ${path}`, seen.answer.files[at] ?? "unreadable");
  }
  if (first === undefined) return { why: `${one.name} has no container` };
  const { tables, addresses, resolvers, api } = first;
  return { answer: { listeners: listeners((name) => tables[name] ?? ""), addresses, resolvers, api, files } };
}

/** Makes every attempt that is planned. */
export async function tryAll(
  { cluster }: Pick<ClusterSubject, "cluster">,
  pods: readonly SeenPod[],
  inside: ClusterObservation["inside"],
): Promise<Pick<ClusterObservation, "attempts" | "resolves">> {
  const planned = planAttempts({ model: cluster.model, deployment: cluster.options.deployment, pods, inside });
  const bySource = [...Map.groupBy(planned, ({ from }) => from)];
  const made = await inTurn(bySource, AT_ONCE, async ([from, attempts]) => {
    const pod = pods.find(({ name }) => name === from);
    const question = { reach: attempts.map(({ target }) => target), names: [OUTSIDE_NAME], files: [] };
    const seen =
      pod === undefined
        ? { why: `${from} is gone` }
        : await ask({ cluster }, pod, pod.pod.components[0].name, question);
    const answer = "answer" in seen ? seen.answer : undefined;
    const told = attempts.map((attempt, at): PodAttempt => ({ ...attempt, reached: answer?.reach[at] }));
    return { from, attempts: told, resolves: answer?.names[0] };
  });
  return {
    attempts: made.flatMap(({ attempts }) => attempts),
    resolves: new Map(
      made.flatMap(({ from, resolves }) => (resolves === undefined ? [] : [[from, resolves] as const])),
    ),
  };
}

async function ask(
  { cluster }: Pick<ClusterSubject, "cluster">,
  { name: pod }: Pick<SeenPod, "name">,
  container: string,
  question: InsideQuestion,
): Promise<Answered<InsideAnswer>> {
  const { namespace } = cluster.plan.deployment.kubernetes;
  try {
    const place = { config: cluster.config, namespace, pod, container };
    return { answer: await askInside(place, lookInside, question, LIMIT_MS) };
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "POD_NOT_LOOKED_INTO") throw thrown;
    return { why: messageOf(thrown) };
  }
}
