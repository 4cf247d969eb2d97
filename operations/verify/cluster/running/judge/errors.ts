import { catalogue, EXIT } from "../../../../../shared/errors.ts";

/** Codes of what only a cluster can have. */
export const clusterRunningErrors = catalogue({
  RUNNING_POLICIES_UNENFORCED: {
    exit: EXIT.policy,
    summary: "Nothing in the cluster enforces NetworkPolicies: every pod reaches every other, whatever they say.",
    fix: "have the platform team install a network plugin that enforces them (Calico, Cilium, Antrea, kube-router); until then mutual TLS alone stands between pods",
  },
});
