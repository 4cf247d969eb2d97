import { existsSync } from "node:fs";
import { join } from "node:path";
import { serverName } from "../../../../model/placement.ts";
import { handshake } from "../../../../shared/handshake.ts";
import type { Layout } from "../../../../stacks/host/layout.ts";
import { PROBE } from "../../../../stacks/host/leaves.ts";
import { forwardPort } from "../../../../stacks/kubernetes/life/forward.ts";
import type { TlsAttempt } from "../../running/observation.ts";
import { rootsOf } from "../../running/observe/facts.ts";
import { forgeCertificates } from "../../running/observe/forged.ts";
import { inTurn } from "../../running/observe/in-turn.ts";
import { type PlacedFlow, showAll, type TlsMaterial, tlsFlows } from "../../running/observe/tls-shows.ts";
import { ownModel } from "../own-model.ts";
import type { ClusterSubject } from "../subject.ts";
import type { ClusterObservation, SeenPod } from "./observation.ts";
import { type PlacedPort, portsWithoutFlow, versionsOf } from "./unasked-ports.ts";

/** Handshakes at one time: each goes through the API server. */
const AT_ONCE = 8;

type Shaken = Pick<ClusterObservation, "tls" | "unshown" | "roots">;

/** Tries every handshake at every pod's ports, from this machine, through the API server. */
export async function shakeHands(
  { cluster }: Pick<ClusterSubject, "cluster">,
  pods: readonly SeenPod[],
): Promise<Shaken> {
  const { layout, config, plan, options } = cluster;
  const roots = rootsOf(layout.authoritiesDir);
  if (!("answer" in roots)) return { tls: [], unshown: [], roots: roots.why };
  const { tenant, kubernetes } = options.deployment;
  const model = ownModel(cluster.model);
  await using ways = new AsyncDisposableStack();
  const opened = new Map<string, Promise<number>>();
  const open = (pod: string, container: string, port: number): Promise<number> => {
    const key = `${pod} ${port}`;
    const find = async () => ({ namespace: kubernetes.namespace, pod, container });
    const way = opened.get(key) ?? forwardPort(config, port, find).then((made) => ways.use(made).port);
    opened.set(key, way);
    return way;
  };
  const servers = (component: string) =>
    pods.filter(({ pod }) => pod.components.some(({ name }) => name === component));
  const placed: PlacedFlow[] = [];
  for (const flow of tlsFlows(model)) {
    const client = model.components.find(({ name }) => name === flow.from);
    const port = model.components.find(({ name }) => name === flow.to)?.ports.find(({ name }) => name === flow.port);
    if (client === undefined || port === undefined) continue;
    for (const { name: pod } of servers(flow.to)) {
      const here = await open(pod, flow.to, port.port);
      const at = { host: "127.0.0.1", port: here, servername: serverName(flow.to, plan.deployment.tenant) };
      placed.push({ flow, client, at, place: `${flow.to}.${flow.port} of ${pod}` });
    }
  }
  const unasked: PlacedPort[] = [];
  for (const { component, port } of portsWithoutFlow(model)) {
    for (const { name: pod } of servers(component.name)) {
      const here = await open(pod, component.name, port.port);
      const servername = serverName(component.name, plan.deployment.tenant);
      unasked.push({ component, port, at: { host: "127.0.0.1", port: here, servername } });
    }
  }
  const forged = await forgeCertificates(model, tenant, options.clock);
  const material: TlsMaterial = { roots: roots.answer, forged, ...filesOf(layout) };
  const { attempts, unshown } = showAll(placed, model, material);
  const all = [...attempts, ...unasked.flatMap((each) => versionsOf(each, material))];
  const tls = await inTurn(all, AT_ONCE, async (attempt): Promise<TlsAttempt> => {
    return { ...attempt, answer: await handshake(attempt.handshake) };
  });
  return { tls, unshown, roots: undefined };
}

/** What this machine's secret store has of clients. */
function filesOf({ secretsDir }: Layout): Pick<TlsMaterial, "own" | "revoked"> {
  const files = (folder: string, cert: string, key: string) => ({
    cert: { file: join(secretsDir, folder, cert) },
    key: { file: join(secretsDir, folder, key) },
  });
  const revoked = files("broker", PROBE.cert, PROBE.key);
  const isThere = existsSync(revoked.cert.file) && existsSync(revoked.key.file);
  return { own: ({ name }) => files(name, "tls.crt", "tls.key"), revoked: isThere ? revoked : undefined };
}
