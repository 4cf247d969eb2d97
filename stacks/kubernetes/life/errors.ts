import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of deploying to a Kubernetes cluster. */
export const kubernetesLifeErrors = catalogue({
  KUBECONFIG_INVALID: {
    exit: EXIT.configuration,
    summary: "There is no kubeconfig, or it cannot be read, or its context names no cluster.",
    fix: "set KUBECONFIG to the file of the cluster; kubectl config use-context NAME makes one of its contexts current",
  },
  CLUSTER_CREDENTIAL: {
    exit: EXIT.authentication,
    summary: "The kubeconfig's user has no credential: its program fails, or a file of it cannot be read.",
    fix: "log in again, or mend the user in the kubeconfig: kubectl version with the same KUBECONFIG shows what its program says",
  },
  CLUSTER_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "The cluster's API server does not answer, or stopped answering on the way.",
    fix: "try kubectl version; when it answers, run the same command again: it goes on where it was",
  },
  CLUSTER_DENIED: {
    exit: EXIT.authentication,
    summary: "The cluster does not let this user do what the deployment needs.",
    fix: "have a cluster administrator grant what the message names; docs/guides/kubernetes.md has the Role",
  },
  CLUSTER_REJECTED: {
    exit: EXIT.resource,
    summary: "The cluster, or a policy of it, refused an object.",
    fix: "mend what the message names, and run trustkern deploy again: what was applied before stays",
  },
  CLUSTER_TOO_OLD: {
    exit: EXIT.resource,
    summary: "The cluster's version of Kubernetes lacks what the deployment is made of.",
    fix: "upgrade the cluster to 1.32 or later",
  },
  NAMESPACE_FOREIGN: {
    exit: EXIT.resource,
    summary: "The namespace is there, and is not this deployment's.",
    fix: "name another one with kubernetes.namespace; nothing in it was touched",
  },
  CLUSTER_OTHER: {
    exit: EXIT.resource,
    summary: "The namespace is not the one that this state directory was deployed to.",
    fix: "point KUBECONFIG to its cluster; where that cluster or namespace is gone for good, delete the file that the message names and run the command again",
  },
  STORAGE_CLASS_MISSING: {
    exit: EXIT.resource,
    summary: "Volumes would wait for ever: the storage class is not there.",
    fix: "name one that kubectl get storageclass shows with kubernetes.storageClass",
  },
  CLUSTER_QUOTA: {
    exit: EXIT.resource,
    summary: "A quota of the namespace, or what the nodes have, is less than the deployment asks for.",
    fix: "raise it, or add a node; nothing was applied",
  },
  SECRET_NEEDED: {
    exit: EXIT.configuration,
    summary: "A secret is missing that cannot be made here: what a server knows a component by.",
    fix: "write each file that the message names, mode 0600, and run the command again; nothing was applied",
  },
  VOLUME_UNBOUND: {
    exit: EXIT.resource,
    summary: "A volume claim found no volume.",
    fix: "kubectl describe the claim, and mend its storage class; then run trustkern deploy again",
  },
  WORKLOAD_FAILED: {
    exit: EXIT.resource,
    summary: "A pod does not start, or a job has failed.",
    fix: "mend what the message names, and run trustkern deploy again",
  },
  WORKLOAD_TIMEOUT: {
    exit: EXIT.timeout,
    summary: "Pods were not ready in time.",
    fix: "kubectl describe the pod says what it waits for; then run trustkern deploy again, or with a longer --timeout",
  },
  POD_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "No pod of a component runs that the command line could ask.",
    fix: "trustkern status shows how the pods are",
  },
  CLUSTER_UNSETTLED: {
    exit: EXIT.timeout,
    summary: "An update was under way, so that what runs could not be held against what was deployed.",
    fix: "wait until what the message names is as it will be, which kubectl get shows, and run the same command again; an update that does not go on by itself, trustkern deploy brings to its end",
  },
  CLUSTER_DRIFTED: {
    exit: EXIT.policy,
    summary: "What is in the cluster is not what the deployment says.",
    fix: "trustkern deploy puts it back; find out who changed it",
  },
});
