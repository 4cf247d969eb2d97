import type { V1Pod } from "@kubernetes/client-node";
import type { Finding } from "../../../../shared/finding.ts";
import type { ProbeAnswer } from "../../../../shared/prober.ts";
import type { Pod } from "../../../../stacks/kubernetes/pods.ts";
import type { Standing } from "../../running/judge/up.ts";
import type { Answered, Observation as DockerObservation } from "../../running/observation.ts";
import type { InsideReached, InsideTarget } from "../inside/programs.ts";

/** A pod that runs, with what it is by the plan. */
export interface SeenPod {
  readonly name: string;
  readonly pod: Pod;
  readonly live: V1Pod;
}

/** What a pod has inside. */
export interface PodInside {
  readonly listeners: ProbeAnswer["listeners"];
  /** Its own addresses. */
  readonly addresses: readonly string[];
  /** Its resolvers, and the API server as its environment names it. */
  readonly resolvers: readonly string[];
  readonly api: { readonly host: string; readonly port: number } | null;
  /** By component and path: SHA-256 of each configuration file in hex, or why it could not be read. */
  readonly files: ReadonlyMap<string, string>;
}

/** An attempt to reach something from inside of a pod. */
export interface PodAttempt {
  /** Name of the pod that it is made from. */
  readonly from: string;
  /** Whose port it is: a component's, or somebody's outside. */
  readonly to: string;
  readonly target: InsideTarget;
  /** Of the flow that allows it, `refused` where none does, `outside` for what no flow leads to, `itself` for a port of its own. */
  readonly purpose: "flow" | "refused" | "outside" | "itself";
  /** Name of the flow. */
  readonly flow?: string;
  /** At each address of the host; undefined where it was not made. */
  readonly reached: readonly InsideReached[] | undefined;
}

/** Everything that was seen of a deployment that a cluster runs. */
export interface ClusterObservation {
  /** By component. */
  readonly components: ReadonlyMap<string, Standing>;
  readonly pods: readonly SeenPod[];
  /** In which the namespace is not what the plan says. */
  readonly differences: readonly Finding[];
  /** By the name of the pod. */
  readonly inside: ReadonlyMap<string, Answered<PodInside>>;
  readonly attempts: readonly PodAttempt[];
  /** By pod whether a name of somebody outside has an address there. */
  readonly resolves: ReadonlyMap<string, boolean>;
  /** By job, which is the component's name, how Prometheus says that its targets are; or why it could not be asked. */
  readonly targets: Answered<ReadonlyMap<string, readonly string[]>>;
  readonly tls: DockerObservation["tls"];
  readonly unshown: readonly string[];
  readonly roots: string | undefined;
  readonly constraints: DockerObservation["constraints"];
  readonly custody: DockerObservation["custody"];
}
