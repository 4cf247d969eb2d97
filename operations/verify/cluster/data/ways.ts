import { messageOf, TrustKernError } from "../../../../shared/errors.ts";
import { controlOf } from "../../../../stacks/host/first-steps.ts";
import { clusterSite } from "../../../../stacks/kubernetes/life/site.ts";
import { openRows, ROWS_OF } from "../../data/message/stored.ts";
import type { Sealed, Ways } from "../../data/message/ways.ts";
import { sendDatagram } from "../inside/programs.ts";
import { askInside } from "../inside/run-inside.ts";
import type { SeenPod } from "../running/observation.ts";
import type { ClusterSubject } from "../subject.ts";
import { coapAnswer, coapPost } from "./coap-post.ts";

/** How long a gateway may take, when the message is sent again, and the longest of all of it; in milliseconds. */
const ANSWER_MS = 8_000;
const AGAIN_MS = 2_500;
const LIMIT_MS = 20_000;

/** How the layer reaches a deployment in a cluster: through its API server. Packets are captured nowhere. */
export function clusterWays(subject: ClusterSubject, pods: readonly SeenPod[]): Ways {
  const { cluster, forwards } = subject;
  const { layout, model, options } = cluster;
  return {
    components: model.components,
    operator: async () => (await clusterSite(cluster, forwards, "trustkern verify boundary")).operator(),
    control: controlOf(forwards.socket),
    send: (sealed) => Promise.all(sealed.map((one) => sendOne(subject, pods, one))),
    rows: async () => {
      if (model.components.some(({ name, external }) => name === ROWS_OF && external !== undefined))
        throw new Error("it runs elsewhere, and is asked from there alone");
      const { host, port } = await forwards.endpoint(ROWS_OF, "postgres");
      return openRows({ host, port, layout, model, tenant: options.deployment.tenant });
    },
    capture: async () => [],
  };
}

/** To the port that sensors send to, from inside of the gateway's own pod: the way from a network to that port is the platform's. */
async function sendOne({ cluster }: ClusterSubject, pods: readonly SeenPod[], { marker, envelope }: Sealed) {
  const { gateway } = marker;
  const one = pods.find(({ pod }) => pod.components.some(({ name }) => name === gateway));
  const port = one?.pod.components
    .find(({ name }) => name === gateway)
    ?.ports.find(({ protocol }) => protocol === "udp")?.port;
  if (one === undefined || port === undefined) return "it does not run";
  const { namespace } = cluster.plan.deployment.kubernetes;
  const place = { config: cluster.config, namespace, pod: one.name, container: gateway };
  const bytes = coapPost(envelope).toString("hex");
  const question = { port, bytes, timeoutMs: ANSWER_MS, againMs: AGAIN_MS };
  try {
    const answer = await askInside(place, sendDatagram, question, LIMIT_MS);
    if ("why" in answer) return answer.why;
    return coapAnswer(Buffer.from(answer.bytes, "hex")) ?? "it answered something else than CoAP";
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "POD_NOT_LOOKED_INTO") throw thrown;
    return messageOf(thrown);
  }
}
