import { certsErrors } from "./errors.ts";
import { LABEL } from "./names.ts";

/** Last label of the names of Services, as pods look them up (Kubernetes, "DNS for Services and Pods"). */
const SERVICES = "svc";

/** Namespaces in which the cluster's own Services are, the API server's among them. */
const OF_THE_CLUSTER = /^(?:default|kube-.*)$/;

/** `tk-plant.svc`: the domain of the Services of one namespace of a cluster. */
export function namespaceDomain(namespace: string): string {
  return `${namespace}.${SERVICES}`;
}

/** `backend.tk-plant.svc`: the name of a component's Service, by which clients in the same cluster connect to it. */
export function serviceDnsName(component: string, namespace: string): string {
  return `${component}.${namespaceDomain(namespace)}`;
}

/** Whether a name is that of a Service of this namespace: one label, and no name of a single pod below it. */
export function isServiceDnsName(name: string, namespace: string): boolean {
  const [component = "", ...domain] = name.split(".");
  return LABEL.test(component) && domain.join(".") === namespaceDomain(namespace);
}

/** The namespace of a domain that {@link namespaceDomain} gives for one that {@link assertNamespace} takes; otherwise undefined. */
export function namespaceIn(domain: string): string | undefined {
  const [namespace = "", ...rest] = domain.split(".");
  return isNamespace(namespace) && rest.join(".") === SERVICES ? namespace : undefined;
}

/**
 * Refuses a namespace that is not one lower-case DNS label, and those that are the cluster's own: whose authority could name Services
 * there could be the API server.
 * @throws CERT_NAME_INVALID
 */
export function assertNamespace(namespace: string): void {
  if (isNamespace(namespace)) return;
  const accepted = "1 to 63 of a-z 0-9 - without one at either end, but default and what begins with kube-";
  throw certsErrors.error(
    "CERT_NAME_INVALID",
    `namespace "${namespace}" is not a deployment's; accepted: ${accepted}`,
    {
      path: "kubernetes.namespace",
    },
  );
}

function isNamespace(text: string): boolean {
  return LABEL.test(text) && !OF_THE_CLUSTER.test(text);
}
