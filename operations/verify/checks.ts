/** The layers of the proof, in the order in which they are looked at. */
export const LAYERS = ["model", "rendered", "running", "data"] as const;

/** One of {@link LAYERS}. */
export type Layer = (typeof LAYERS)[number];

/** Every check of the boundary, and the sentence that it holds. The id is state: evidence and controls name it. */
export const CHECKS = {
  "model.table": "no component holds, and no flow carries, a data class that its zones must not see",
  "model.reachability":
    "plaintext and decryption keys reach no component outside of the boundary, over any number of flows",
  "model.profile": "every line of the profile is kept",
  "model.components": "no component is missing that the profile does not let be absent",
  "rendered.networks": "there is a network for each flow, with its two ends alone, and nothing leaves it",
  "rendered.ports": "no port is published but those of the model, on the address that is named",
  "rendered.mounts": "no container sees a file, a secret, a volume or a socket that is not its component's",
  "rendered.rights":
    "every container runs the program of its component, without a right of the host, a capability or a namespace that no exception grants",
  "rendered.secrets":
    "no secret is in the rendered stack, and no variable in an environment that its component does not have",
  "rendered.images": "every image is what the lock says, from where the file says, and signed where it asks for that",
  "rendered.limits": "every container has bounds on memory, processors and logs, and is watched",
  "rendered.engine":
    "the state is kept where the deployment says, by the pinned provider, and there is nothing else in the stack",
  "rendered.deployed":
    "what the last deploy left on this host, the stack and every configuration file, is what the model renders",
  "running.components":
    "every component runs and is well, and no stranger shares a network, a folder or a namespace with one",
  "running.flows": "every flow of the model connects",
  "running.refused": "no container reaches a port of another that no flow names",
  "running.listeners": "no container listens on a port that its component does not have",
  "running.tls.accepted":
    "every port with TLS answers its own clients by TLS 1.3, with a certificate that the deployment's root made",
  "running.tls.refused":
    "no port of mutual TLS takes a client without a certificate, of another root or of another tenant, and broker and backend none that is revoked",
  "running.tls.version": "no port speaks TLS 1.2 or older",
  "running.mounts": "every container sees the files and folders of its component, and no others",
  "running.environment": "every container has the environment and the command of its component, and no secret in it",
  "running.rights": "every container has the user, the rights and the bounds of its component",
  "running.images": "every container runs the bytes that the lock names",
  "running.egress": "nothing leaves the host from inside of a container",
  "running.encryption": "every volume and folder with plaintext or keys is on an encrypted device",
  "running.custody": "custody is unsealed, of the class that is asked for, and the custody of the kind that is named",
  "data.stored": "a marked message of a sensor is decrypted and stored in the database, once",
  "data.broker": "its plaintext is in no file of the broker",
  "data.gateway": "its plaintext is in no file of a gateway",
  "data.operations": "its plaintext is in no file of a component of operations",
  "data.logs": "its plaintext is in no log line",
  "data.metrics": "its plaintext is in no metric",
  "data.traffic": "its plaintext is in no packet of any network",
  "data.engine": "its plaintext is in no state, plan or description of the engine",
} as const satisfies Readonly<Record<string, string>>;

/** Id of a check: its layer, and what it looks at. */
export type CheckId = keyof typeof CHECKS;

/** What a check holds in a cluster, where its sentence is about a host or its engine. */
const IN_CLUSTER: Readonly<Partial<Record<CheckId, string>>> = {
  "rendered.networks": "two policies say each flow, one at either end, after a default deny; none says more",
  "rendered.ports": "services lead to the ports of their components, and hand out those that the model publishes alone",
  "rendered.engine": "the objects are those of the model, and no others",
  "rendered.deployed": "every object in the cluster is as it was planned, and nobody else's is beside it",
  "running.components": "every component runs and is well, and no stranger is in the namespace or in a pod",
  "running.refused": "no pod reaches a port of another that no flow names",
  "running.egress": "nothing outside of the deployment is reached from inside of a pod",
  "data.engine": "its plaintext is in no object of the namespace, and not in the state directory",
};

/** The sentence of a check on an engine. */
export function sentenceOf(id: CheckId, engine: string): string {
  return (engine === "kubernetes" ? IN_CLUSTER[id] : undefined) ?? CHECKS[id];
}

/** The checks of a layer. */
export function checksOf(layer: Layer): readonly CheckId[] {
  return (Object.keys(CHECKS) as CheckId[]).filter((id) => id.startsWith(`${layer}.`));
}

/** The layer of a check. */
export function layerOf(id: CheckId): Layer {
  return id.slice(0, id.indexOf(".")) as Layer;
}
