import type { Cluster } from "../../../stacks/kubernetes/life/cluster.ts";
import type { Forwards } from "../../../stacks/kubernetes/life/forwards.ts";
import type { Traveller } from "../data/message/ways.ts";

/** A deployment in a cluster that is looked at, and the ways into its pods. */
export interface ClusterSubject extends Pick<Traveller, "random" | "onSent"> {
  readonly cluster: Cluster;
  readonly forwards: Forwards;
}
