import type { Finding } from "../../../../../shared/finding.ts";
import type { CheckResult } from "../../../result.ts";
import type { runningErrors } from "../../../running/errors.ts";

type Code = keyof typeof runningErrors.entries;

const ANEW =
  "find out who put it there; `trustkern deploy` puts its workload back, and kubectl delete of the pod has that make it anew (claims stay)";

/** What mends each finding in a cluster. */
const FIXES: Readonly<Record<Code, string>> = {
  RUNNING_UNWELL: "see what it says with `trustkern status`, kubectl describe pod and kubectl logs, and mend that",
  RUNNING_STRANGER:
    "find out who made it, and remove it with kubectl delete; then change the keys that it could see (`trustkern certs rotate`)",
  RUNNING_NETWORKS: ANEW,
  RUNNING_FLOW_CLOSED:
    "read the logs of both ends (kubectl logs); see whether kubectl get networkpolicy has both policies of the flow, and run `trustkern deploy`",
  RUNNING_REACHED:
    "see with kubectl get networkpolicy which policy lets it, remove that, and run `trustkern deploy`; where all are as planned, look at the network plugin",
  RUNNING_LISTENER: `find the program (kubectl exec, or a look at the node); ${ANEW}`,
  RUNNING_PUBLISHED: ANEW,
  RUNNING_TLS_OWN:
    "see whether the port's component is well (`trustkern status`); look at the certificates with `trustkern certs list`, renew what has ended, and read the component's log (kubectl logs)",
  RUNNING_TLS_TAKEN:
    "look at the trust anchors and revocation lists of the port's component, and run `trustkern deploy`",
  RUNNING_AUTHORITY:
    "have the authority made anew with `trustkern certs rotate --what intermediate:CLASS`, and find out who made this one",
  RUNNING_TLS_VERSION: "set the port's component back to what was rendered with `trustkern deploy`",
  RUNNING_MOUNT: `${ANEW}; change the keys that it could see`,
  RUNNING_ENVIRONMENT: ANEW,
  RUNNING_SECRET: "change that secret, and run `trustkern deploy`",
  RUNNING_RIGHT: ANEW,
  RUNNING_IMAGE: `find out where the bytes come from; ${ANEW}`,
  RUNNING_EGRESS:
    "see with kubectl get networkpolicy what lets it; where all are as planned, the network plugin does not enforce them. For names: have the cluster's resolver forward none for this namespace (CoreDNS: the plugin acl or view)",
  RUNNING_CUSTODY: "see `trustkern status`, and unseal it with `trustkern keys unseal`",
  RUNNING_NOT_ENCRYPTED:
    "have whoever runs the nodes' and the storage class's disks say in writing that they are encrypted",
};

/** One thing that is wrong in a cluster. */
export function clusterBreach(code: Code, path: string, message: string): Finding {
  return { code, path, message, fix: FIXES[code] };
}

/** A result of a judgement that both engines have, with the words of this one. */
export function inCluster(result: CheckResult): CheckResult {
  const findings = result.findings.map((one) => {
    const path = one.path.replace(/^containers\./, "components.");
    return { ...one, path, fix: FIXES[one.code as Code] ?? one.fix };
  });
  return { ...result, findings };
}
