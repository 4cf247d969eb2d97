import {
  EXTERNAL_PARTS,
  type ExternalPart,
  type ExternalServer,
  type KubernetesSettings,
  type Peers,
  type Resolver,
} from "../model/kubernetes.ts";
import type { DeploymentInput } from "./schema.ts";
import { sizeBytes } from "./size.ts";

type KubernetesInput = NonNullable<DeploymentInput["kubernetes"]>;
type ServerInput = NonNullable<NonNullable<KubernetesInput["external"]>[ExternalPart]>;

/** Port that an external part has where the file says none; 0 of who only connects. */
const PORTS: Readonly<Record<ExternalPart, number>> = {
  database: 5432,
  loki: 3100,
  prometheus: 9090,
  grafana: 0,
  "gateways-ca": 9000,
  "operators-ca": 9001,
};

/** What most clusters have: the label is also CoreDNS's. */
const KUBE_DNS: Peers = { kind: "pods", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

/** What the file says of its cluster, with every default. The input has been checked. */
export function resolveKubernetes(input: KubernetesInput = {}, name: string): KubernetesSettings {
  const min = input.collector?.min ?? 2;
  const external = EXTERNAL_PARTS.flatMap((part) => {
    const said = input.external?.[part];
    return said === undefined ? [] : [[part, serverOf(part, said)] as const];
  });
  return {
    namespace: input.namespace ?? `tk-${name}`,
    storageClass: input.storageClass,
    databaseBytes: sizeBytes(input.databaseSize ?? "50GiB"),
    collector: { min, max: input.collector?.max ?? Math.max(min, 6) },
    custody: { replicas: input.custody?.replicas ?? 1 },
    publish: { service: input.publish?.service ?? "ClusterIP", from: input.publish?.from ?? [] },
    resolver: resolverOf(input.resolver),
    keys: input.keys && peersOf(input.keys),
    issuingKeys: input.issuingKeys && peersOf(input.issuingKeys),
    external: Object.fromEntries(external),
  };
}

/** What is said is all of it: addresses alone leave no pods. */
function resolverOf({
  addresses,
  namespace,
  labels,
  port = 53,
}: NonNullable<KubernetesInput["resolver"]> = {}): Resolver {
  const pods: Peers[] = namespace === undefined ? [] : [{ kind: "pods", namespace, labels: labels ?? {} }];
  const peers: Peers[] = addresses === undefined ? pods : [...pods, { kind: "addresses", networks: addresses }];
  return { peers: peers.length === 0 ? [KUBE_DNS] : peers, port };
}

function serverOf(part: ExternalPart, said: ServerInput): ExternalServer {
  const host = said.host ?? "";
  return {
    host,
    port: said.port ?? PORTS[part],
    servername: said.servername ?? host,
    peers: peersOf(said),
    caFile: said.caFile,
    region: said.region,
  };
}

function peersOf({
  addresses,
  namespace = "",
  labels = {},
}: Pick<ServerInput, "addresses" | "namespace" | "labels">): Peers {
  return addresses === undefined ? { kind: "pods", namespace, labels } : { kind: "addresses", networks: addresses };
}
