import { createHash } from "node:crypto";
import type { V1Pod } from "@kubernetes/client-node";
import { nameConstraints } from "../../../../certs/name-constraints.ts";
import { LEAF_CLASSES } from "../../../../certs/names.ts";
import { servicesNamespace } from "../../../../stacks/host/services-namespace.ts";
import { expectedPod } from "../../../../stacks/kubernetes/life/expected-pod.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../../../stacks/kubernetes/test-deployments.ts";
import type { CheckResult } from "../../result.ts";
import type { TlsAttempt } from "../../running/observation.ts";
import type { Forged } from "../../running/observe/forged.ts";
import { type PlacedFlow, showAll, tlsFlows } from "../../running/observe/tls-shows.ts";
import { ownModel } from "../own-model.ts";
import { planAttempts } from "./attempts.ts";
import { judgeRunningCluster, type RunningGround } from "./index.ts";
import type { ClusterObservation, PodAttempt, PodInside, SeenPod } from "./observation.ts";

/** For tests: a deployment all of whose parts run in the cluster. */
export const ground: RunningGround = testPlan(deploymentOf(KUBERNETES_FILES["eu-hosted"]));

const { plan, model, images, deployment } = ground;
/** For tests: what lies around the pods. */
export const AROUND = { resolver: "10.0.0.10", api: { host: "10.0.0.1", port: 443 }, node: "10.1.0.1" } as const;

const pods: readonly SeenPod[] = plan.pods
  .filter(({ kind }) => kind !== "Job")
  .flatMap((pod) => Array.from({ length: pod.replicas }, (_, ordinal) => ({ pod, ordinal })))
  .map(({ pod, ordinal }, at) => {
    const name = `${pod.name}-${ordinal}`;
    const { labels, spec } = expectedPod({ name, pod }, plan) as NonNullable<ReturnType<typeof expectedPod>>;
    const live = {
      metadata: {
        name,
        labels: { ...labels, "controller-revision-hash": "abc" },
        annotations: { "cni.projectcalico.org/podIP": "10.0.0.7" },
      },
      // What the API server and the scheduler add.
      spec: { ...structuredClone(spec), nodeName: "node-1", hostname: name, schedulerName: "default-scheduler" },
      status: {
        podIP: `10.2.0.${at + 1}`,
        hostIP: AROUND.node,
        phase: "Running",
        containerStatuses: pod.components.map((component) => {
          const { reference = "", digest = "" } = images.images[component.image ?? ""] ?? {};
          return { name: component.name, imageID: `${reference.replace(/:[^:/]*$/, "")}@${digest}` };
        }),
      },
    } as unknown as V1Pod;
    return { name, pod, live };
  });

const inside = new Map(
  pods.map(({ name, pod, live }) => {
    const answer: PodInside = {
      listeners: pod.components.flatMap(({ ports }) =>
        ports.map(({ port, protocol }) => ({ protocol, address: "0.0.0.0", port })),
      ),
      addresses: [live.status?.podIP ?? ""],
      resolvers: [live.spec?.dnsPolicy === "None" ? "127.0.0.1" : AROUND.resolver],
      api: AROUND.api,
      files: new Map(
        pod.components.flatMap((component) =>
          component.files.map(
            ({ path, content }) =>
              [`${component.name} ${path}`, createHash("sha256").update(content).digest("hex")] as const,
          ),
        ),
      ),
    };
    return [name, { answer }] as const;
  }),
);

const placed: readonly PlacedFlow[] = tlsFlows(ownModel(model)).map((flow, at) => {
  const client = model.components.find(({ name }) => name === flow.from);
  return { flow, client: client as PlacedFlow["client"], at: { host: "127.0.0.1", port: 1000 + at, servername: "x" } };
});
const file = { cert: { file: "a" }, key: { file: "b" } };
const forgedLeaf = { certPem: "c", keyPem: "k" };
const everybody = new Map(model.components.flatMap(({ identity }) => (identity ? [[identity, forgedLeaf]] : [])));
const forged = { "other-root": everybody, "other-tenant": everybody } as unknown as Forged;
const questions = showAll(placed, model, { roots: "r", forged, own: () => file, revoked: file });

function answered(attempt: Omit<TlsAttempt, "answer">): TlsAttempt {
  const { shows } = attempt;
  if (shows === "own") return { ...attempt, answer: { outcome: "taken", version: "TLSv1.3", why: "" } };
  const why = shows === "revoked" ? "CERTIFICATE_REVOKED" : "alert";
  return { ...attempt, answer: { outcome: "refused", version: shows === "old-version" ? "" : "TLSv1.3", why } };
}

function reachedBy(attempt: Omit<PodAttempt, "reached">): PodAttempt {
  const open = attempt.purpose === "flow" || attempt.purpose === "itself";
  const reached = open ? "connected" : attempt.purpose === "outside" ? "unreachable" : "silent";
  return { ...attempt, reached: [{ address: "10.9.9.9", reached }] };
}

const components = model.components.map(({ name, health }) => {
  const job = health.kind === "exit";
  const State = { Running: !job, Status: job ? "exited" : "running" };
  return [name, { condition: job ? ("done" as const) : ("healthy" as const), container: { State } }] as const;
});

/** For tests: what is seen of it where a policy engine keeps pods apart, and every image has Node. */
export const good: ClusterObservation = {
  components: new Map(components),
  pods,
  differences: [],
  inside,
  attempts: planAttempts({ model, deployment, pods, inside }).map(reachedBy),
  resolves: new Map(pods.map(({ name }) => [name, false])),
  targets: { why: "nobody was asked" },
  tls: questions.attempts.map(answered),
  unshown: questions.unshown,
  roots: undefined,
  constraints: {
    answer: new Map(
      LEAF_CLASSES.map((leafClass) => [
        leafClass,
        Buffer.from(nameConstraints(leafClass, deployment.tenant, servicesNamespace(deployment)).value).toString("hex"),
      ]),
    ),
  },
  custody: { sealed: false, kind: deployment.custody.kind, custodyClass: deployment.custody.leastClass },
};

/** For tests: the results with something changed. */
export function judge(changes: Partial<ClusterObservation> = {}): readonly CheckResult[] {
  return judgeRunningCluster({ ...good, ...changes }, ground);
}

/** For tests: what is not proven, by check: its outcome, and the code and path of each finding. */
export function told(changes: Partial<ClusterObservation> = {}): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    judge(changes)
      .filter(({ id, outcome }) => outcome !== "proven" && id !== "running.encryption")
      .map(({ id, outcome, findings }) => [id, [outcome, ...findings.map(({ code, path }) => `${code} ${path}`)]]),
  );
}

/** For tests: one pod as somebody has changed it. */
export function pod(name: string, change: (live: Loose) => void): Pick<ClusterObservation, "pods"> {
  return {
    pods: pods.map((one) => {
      if (one.name !== name) return one;
      const live = structuredClone(one.live);
      change(live);
      return { ...one, live };
    }),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with kubectl could
type Loose = any;

/** For tests: some attempts with another end. */
export function reach(
  which: (attempt: PodAttempt) => boolean,
  reached: "connected" | "refused" | "unreachable" | "silent" | "lost" | "unnamed",
): Pick<ClusterObservation, "attempts"> {
  return {
    attempts: good.attempts.map((one) => {
      if (!which(one)) return one;
      if (reached === "lost") return { ...one, reached: undefined };
      return { ...one, reached: reached === "unnamed" ? [] : [{ address: "10.9.9.9", reached }] };
    }),
  };
}

/** For tests: a pod with something else inside. */
export function within(name: string, change: Partial<PodInside> | string): Pick<ClusterObservation, "inside"> {
  const seen = new Map<string, { readonly answer: PodInside } | { readonly why: string }>(inside);
  const old = inside.get(name)?.answer as PodInside;
  seen.set(name, typeof change === "string" ? { why: change } : { answer: { ...old, ...change } });
  return { inside: seen };
}
