import type { Finding } from "../../../shared/finding.ts";
import { shown } from "../../../shared/shown.ts";
import type { KubernetesPlan } from "../plan.ts";
import type { LiveObject } from "./api.ts";
import { expectedPod, type PodToHold, podFindings } from "./expected-pod.ts";
import { podFix, stranger } from "./fixes.ts";
import { asPod, hasEnded, isRunning } from "./pods-running.ts";
import { isObserved, revisionOf } from "./revisions.ts";
import type { LiveWorkloads, Maker } from "./workloads-live.ts";

/** How the namespace is looked at. */
export interface LookOptions {
  /** Whether pods that a rolling update takes away are left out, and what is about to change is waited for. @default false */
  readonly replacing?: boolean;
  /** Name of the pod that is to be unsealed: it is held against the plan, whatever an update does with it. @default none */
  readonly unsealing?: string;
}

/** What a look has found, and what was about to change while it looked. */
export interface Looked {
  readonly findings: readonly Finding[];
  /** Each with the path of what it is about. */
  readonly unsettled: readonly string[];
}

/** What no version of ours has. */
const IN_NO_VERSION = /\.spec\.(ephemeralContainers|initContainers)\b/;

/** Holds every pod that has not ended against the template of the workload that made it, those that are told to end too. */
export function podDifferences(
  pods: readonly LiveObject[],
  workloads: LiveWorkloads,
  plan: KubernetesPlan,
  look: LookOptions,
): Looked {
  const all = pods.filter((live) => !hasEnded(asPod(live))).map((live) => judge(live, workloads, plan, look));
  const { replacing = false, unsealing } = look;
  const isThere = pods.some((live) => live.metadata.name === unsealing && isRunning(asPod(live)));
  const away = replacing && unsealing !== undefined && !isThere ? [`Pod/${unsealing}: it does not run`] : [];
  return {
    findings: all.flatMap(({ findings }) => findings),
    unsettled: [...all.flatMap(({ unsettled }) => unsettled), ...away],
  };
}

function judge(live: LiveObject, workloads: LiveWorkloads, plan: KubernetesPlan, look: LookOptions): Looked {
  const { replacing = false, unsealing } = look;
  const { name } = live.metadata;
  const { namespace } = plan.deployment.kubernetes;
  const path = `Pod/${name}`;
  const maker = workloads.makerOf(live);
  const findings =
    maker === undefined || isMisnamed(name, maker) ? [stranger(path, namespace)] : held(live, maker, plan);
  if (findings.length === 0) return { findings, unsettled: [] };
  const isEnding = workloads.isEnding(live);
  const unsettled = (why: string): Looked => ({ findings: [], unsettled: [`${path}: ${why}`] });
  if (maker === undefined) return replacing && isEnding ? unsettled("it still ends") : { findings, unsettled: [] };
  const revision = revisionOf(live, maker, workloads);
  if (revision === "previous" && (replacing || isEnding)) {
    if (name === unsealing) return unsettled("the update under way replaces it");
    return { findings: findings.filter((one) => IN_NO_VERSION.test(one.path)), unsettled: [] };
  }
  if (!replacing) return { findings, unsettled: [] };
  if (isEnding) return unsettled("it still ends");
  if (revision === "older") return unsettled("it is of a version before the last two, and the update replaces it");
  if (!isObserved(maker.workload)) return unsettled("its workload's controller has not looked at the new version yet");
  return { findings, unsettled: [] };
}

function held(live: LiveObject, { pod }: Maker, plan: KubernetesPlan): readonly Finding[] {
  const { name } = live.metadata;
  const fix = podFix(name, plan.deployment.kubernetes.namespace);
  const one = { name, pod, live: asPod(live) };
  return [...containersOfNobody(one, plan), ...podFindings(one, plan)].map((found) => ({ ...found, fix }));
}

/** By its own path each, so that whoever looks for what runs there sees it. */
function containersOfNobody(
  { name, pod, live: { spec } }: PodToHold,
  plan: KubernetesPlan,
): readonly Omit<Finding, "fix">[] {
  const known = expectedPod({ name, pod }, plan)?.spec.containers.map((container) => container.name) ?? [];
  const extra = [...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])];
  const beside = (spec?.containers ?? []).filter((container) => !known.includes(container.name));
  return [...beside, ...extra].map((container) => ({
    code: "OBJECT_STRANGER",
    path: `Pod/${name}.containers.${container.name}`,
    message: `runs ${shown(container.image ?? "")}, and is none of the component's`,
  }));
}

/** A StatefulSet makes no pod beside those that are numbered from 0. */
function isMisnamed(name: string, { pod }: Maker): boolean {
  if (pod.kind !== "StatefulSet") return false;
  return !Array.from({ length: pod.maxReplicas }, (_, ordinal) => `${pod.name}-${ordinal}`).includes(name);
}
