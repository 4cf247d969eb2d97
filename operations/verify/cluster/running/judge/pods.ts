import { createHash } from "node:crypto";
import type { V1PodSpec } from "@kubernetes/client-node";
import type { Finding } from "../../../../../shared/finding.ts";
import { shown } from "../../../../../shared/shown.ts";
import type { ImagePins } from "../../../../../stacks/docker/images.ts";
import type { ObjectCode } from "../../../../../stacks/kubernetes/check/differences.ts";
import { expectedPod, podFindings } from "../../../../../stacks/kubernetes/life/expected-pod.ts";
import type { KubernetesPlan } from "../../../../../stacks/kubernetes/plan.ts";
import type { CheckResult } from "../../../result.ts";
import type { runningErrors } from "../../../running/errors.ts";
import { secretIn } from "../../../running/judge/secret-in.ts";
import { count, resultOf } from "../../../running/result.ts";
import { answerOf } from "../attempts.ts";
import type { ClusterObservation, SeenPod } from "../observation.ts";
import { clusterBreach } from "./fixes.ts";

type Seen = Pick<ClusterObservation, "components" | "pods" | "inside">;
type PodCheck = "running.mounts" | "running.environment" | "running.rights" | "running.images";

/** The check that a difference of a pod belongs to, and its code there: exactly one, and the compiler misses none. */
const CHECK_OF: Readonly<Record<ObjectCode, readonly [PodCheck, keyof typeof runningErrors.entries]>> = {
  OBJECT_MOUNT: ["running.mounts", "RUNNING_MOUNT"],
  OBJECT_CONFIG: ["running.mounts", "RUNNING_MOUNT"],
  OBJECT_COMMAND: ["running.environment", "RUNNING_ENVIRONMENT"],
  OBJECT_SECRET: ["running.environment", "RUNNING_SECRET"],
  OBJECT_IMAGE: ["running.images", "RUNNING_IMAGE"],
  OBJECT_SHAPE: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_KIND: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_MEMBER: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_SECURITY: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_TOKEN: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_LIMIT: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_HEALTH: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_POLICY: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_SERVICE: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_RUNNING: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_STRANGER: ["running.rights", "RUNNING_RIGHT"],
  OBJECT_LABEL: ["running.rights", "RUNNING_RIGHT"],
};

/** Every pod that runs is, member by member, what its workload's template in the plan says. */
export function judgePods(seen: Seen, plan: KubernetesPlan, images: ImagePins): readonly CheckResult[] {
  const found = seen.pods.flatMap((one) => breachesOf(one, plan));
  const of = (check: PodCheck): readonly Finding[] =>
    found.filter(([id]) => id === check).map(([, finding]) => finding);
  const containers = seen.pods.reduce((sum, { live }) => sum + (live.spec?.containers.length ?? 0), 0);
  const looked = `${count(containers, "container")} of ${count(seen.pods.length, "pod")}, as the API server has them`;
  const missing = plan.pods
    .filter(({ kind, name }) => kind !== "Job" && seen.pods.every(({ pod }) => pod.name !== name))
    .map(({ name }) => `no pod of ${name} runs`);
  const files = judgeFiles(seen);
  const bytes = judgeBytes(seen, images);
  return [
    resultOf("running.mounts", {
      looked: `${looked}; ${files.looked}`,
      findings: [...of("running.mounts"), ...files.findings],
      open: missing,
    }),
    resultOf("running.environment", { looked, findings: of("running.environment"), open: missing }),
    resultOf("running.rights", { looked, findings: of("running.rights"), open: missing }),
    resultOf("running.images", {
      looked: `${looked}, and the bytes as their nodes name them`,
      findings: [...of("running.images"), ...bytes.findings],
      open: [...missing, ...bytes.open],
    }),
  ];
}

function breachesOf(one: SeenPod, plan: KubernetesPlan): readonly (readonly [PodCheck, Finding])[] {
  if (expectedPod(one, plan) === undefined) return [];
  const wrong = podFindings(one, plan).map(({ code, path, message }) => {
    const [check, own] = CHECK_OF[code as ObjectCode];
    return [check, clusterBreach(own, path, message)] as const;
  });
  return [...wrong, ...secretsIn(one.live.spec, `Pod/${one.name}`)];
}

function secretsIn(spec: V1PodSpec | undefined, path: string): readonly (readonly [PodCheck, Finding])[] {
  return (spec?.containers ?? []).flatMap(({ name, env = [] }) =>
    env.flatMap((variable) => {
      const why = secretIn(`${variable.name}=${variable.value ?? ""}`);
      const at = `${path}.containers.${name}.env`;
      return why === undefined
        ? []
        : [["running.environment", clusterBreach("RUNNING_SECRET", at, `${shown(variable.name)} ${why}`)] as const];
    }),
  );
}

/** Configuration as programs see it, where a pod could be looked into: a file that is mounted is not made anew with its object. */
function judgeFiles({ pods, inside }: Seen) {
  const read = pods.flatMap(({ name, pod }) => {
    const answer = answerOf(inside, name);
    if (answer === undefined) return [];
    return pod.components.flatMap((component) =>
      component.files.map(({ path, content }) => {
        const wanted = createHash("sha256").update(content).digest("hex");
        return { name, path, wanted, found: answer.files.get(`${component.name} ${path}`) };
      }),
    );
  });
  const wrong = read.filter(({ found, wanted }) => found !== undefined && found !== wanted);
  return {
    looked: `${count(read.filter(({ found }) => found !== undefined).length, "configuration file")} read inside`,
    findings: wrong.map(({ name, path }) =>
      clusterBreach("RUNNING_MOUNT", `Pod/${name}`, `${shown(path)} is not what the model renders`),
    ),
  };
}

/** The bytes that nodes say that they run. */
function judgeBytes({ pods }: Seen, { source, images }: ImagePins) {
  const all = pods.flatMap(({ name, pod, live }) =>
    pod.components.map((component) => {
      const status = live.status?.containerStatuses?.find((one) => one.name === component.name);
      const digest = images[component.image ?? ""]?.digest;
      return { at: `Pod/${name}.containers.${component.name}`, is: status?.imageID ?? "", digest };
    }),
  );
  const isNamed = ({ is, digest }: (typeof all)[number]) => digest !== undefined && is.endsWith(digest);
  // An id without a repository is of another kind than the digest of a registry.
  const comparable = ({ is }: (typeof all)[number]) => source === "registry" && is.includes("@sha256:");
  const others = all.filter((one) => !isNamed(one));
  return {
    findings: others
      .filter(comparable)
      .map(({ at, is, digest }) =>
        clusterBreach("RUNNING_IMAGE", at, `its node runs ${shown(is)}; the lock says ${digest ?? "nothing"}`),
      ),
    open: others
      .filter((one) => !comparable(one))
      .map(({ at, is }) => `the node's name for the bytes of ${at} (${is || "none"}) is not to be held to the lock`),
  };
}
