import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { reportedBy } from "../../../../profiles/index.ts";
import { messageOf } from "../../../../shared/errors.ts";
import { takeLock } from "../../../../stacks/host/lock.ts";
import { type DataObservation, judgeData, type PlaceCheck } from "../../data/judge.ts";
import type { Source } from "../../data/look.ts";
import { type Journey, nowhere, travel } from "../../data/message/journey.ts";
import { makeMarker } from "../../data/message/marker.ts";
import type { Traveller } from "../../data/message/ways.ts";
import { prometheusAnswers } from "../../data/places/answers.ts";
import { said, stateDirectory } from "../../data/places/engine.ts";
import { searchSources } from "../../data/search-sources.ts";
import { type Open, settle, unscraped } from "../../data/settle.ts";
import { unwellIn } from "../../data/unwell.ts";
import type { CheckResult } from "../../result.ts";
import { type AskPrometheus, askPrometheus } from "../ask-prometheus.ts";
import { readFiles } from "../inside/programs.ts";
import { runInside } from "../inside/run-inside.ts";
import type { SeenPod } from "../running/observation.ts";
import { seePods } from "../running/pods.ts";
import type { ClusterSubject } from "../subject.ts";
import { objectSources, podLogs } from "./cluster-places.ts";
import { inClusterWords, PLACES_IN_CLUSTER } from "./fixes.ts";
import { podSources } from "./pod-files.ts";
import { clusterWays } from "./ways.ts";

/** Where Mosquitto keeps its messages. */
const BROKER_STATE = "/var/lib/trustkern/state";
const BROKER_FILE = "mosquitto.db";
const LIMIT_MS = 30_000;

const NO_GATEWAY = "the deployment has no gateway of its own, so no message can be sent the way of sensors";
const NO_CAPTURE =
  "no pod under PodSecurity restricted may capture packets, and the nodes' networks are the platform's";

/**
 * The layer data in a cluster: a marked message goes through every gateway, and its plaintext is looked for in the database, where it
 * must be, and in files, logs, metrics and objects, where it must not.
 * @returns one result for each check of the layer, in their order
 * @throws STATE_LOCKED while another verification runs, CLUSTER_UNREACHABLE, CLUSTER_DENIED, DEPLOY_CANCELLED
 */
export async function verifyDataCluster(subject: ClusterSubject): Promise<readonly CheckResult[]> {
  const { layout, options } = subject.cluster;
  const unlock = takeLock(join(layout.dir, "verify.lock"), options.pid);
  try {
    const reported = reportedBy(options.deployment.profile);
    return judgeData(await gatherClusterData(subject), reported, PLACES_IN_CLUSTER).map(inClusterWords);
  } finally {
    unlock();
  }
}

async function gatherClusterData(subject: ClusterSubject): Promise<DataObservation> {
  const { cluster, random = randomBytes, onSent } = subject;
  const { api, plan, options } = cluster;
  const { clock, signal, onProgress } = options;
  const before = await seePods(api, plan);
  const components = plan.pods.flatMap((pod) => pod.components);
  const gateways = components.filter(({ service }) => service === "gateway").map(({ name }) => name);
  const markers = gateways.map((gateway) => makeMarker(gateway, random));
  const traveller: Traveller = { clock, signal, onProgress, random, onSent };
  const journey =
    markers.length === 0
      ? nowhere(NO_GATEWAY, clock().getTime())
      : await travel(traveller, clusterWays(subject, before.pods), markers);
  const ask = askPrometheus(subject);
  const unsettled = await settle(traveller, openOf(subject, before.pods, ask, journey.storedAt), journey);
  onProgress("searching for the message outside of the boundary");
  const sources = sourcesOf(subject, before.pods, ask, journey);
  const found = await searchSources({ markers, journey, unsettled, sources, inside: [] });
  // Nothing is captured: that is said once, and not for each who might have been.
  const missed = { ...found.missed, "data.traffic": [] };
  const { unsent, deliveries, elsewhere, aftermath } = journey;
  const unwell = unwellIn(components, before.components, (await seePods(api, plan)).components);
  return { unsent, deliveries, elsewhere, unwell, ...found, missed, aftermath };
}

function sourcesOf(
  subject: ClusterSubject,
  pods: readonly SeenPod[],
  ask: AskPrometheus,
  { madeAt: since }: Journey,
): Readonly<Record<PlaceCheck, readonly Source[]>> {
  const { api, plan, layout } = subject.cluster;
  const { namespace } = plan.deployment.kubernetes;
  const uncaptured: Source = {
    name: "packets",
    // biome-ignore lint/correctness/useYield: there is nothing to look at, and that is what it says
    async *places(onUnread) {
      onUnread(NO_CAPTURE);
    },
  };
  return {
    "data.broker": podSources(subject, pods, ["ingress"], since),
    "data.gateway": podSources(subject, pods, ["edge", "device"], since),
    "data.operations": podSources(subject, pods, ["operations"], since),
    "data.logs": podLogs(api, namespace, pods, since),
    "data.metrics": [{ name: "Prometheus", places: () => prometheusAnswers((_, paths) => ask(paths)) }],
    "data.traffic": [uncaptured],
    "data.engine": [
      objectSources(api, namespace),
      ...stateDirectory(layout, since),
      said("the rendered objects", async () => [["the rendered objects", JSON.stringify(plan.objects)]]),
    ],
  };
}

/** What was not written down yet: logs are there at once. */
function openOf(subject: ClusterSubject, pods: readonly SeenPod[], ask: AskPrometheus, since: number): Open {
  return {
    broker: () => unsaved(subject, pods, since),
    metrics: () => unscraped((_, paths) => ask(paths), since),
    logs: async () => null,
  };
}

async function unsaved({ cluster }: ClusterSubject, pods: readonly SeenPod[], since: number): Promise<string | null> {
  const broker = pods.find(({ pod }) => pod.name === "broker");
  if (broker === undefined) return "the broker does not run";
  const { namespace } = cluster.plan.deployment.kubernetes;
  const place = { config: cluster.config, namespace, pod: broker.name, container: "broker" };
  const question = { folders: [BROKER_STATE], since, partBytes: 65_536 };
  try {
    for await (const answer of runInside(place, readFiles, question, LIMIT_MS))
      if (answer.path === `${BROKER_STATE}/${BROKER_FILE}` && "bytes" in answer) return null;
    return "the broker has not saved its messages since";
  } catch (thrown) {
    return messageOf(thrown);
  }
}
