import { serverName } from "../../../model/placement.ts";
import { serviceHost } from "../../kubernetes/placement.ts";
import type { Endpoint, SecretReference } from "../outputs.ts";
import type { PlannedKubernetes } from "./plan-kubernetes.ts";

/**
 * Every published port that anybody may reach, by component and port such as `broker.mqtts`, by the name of its Service: what address
 * a load balancer gives it is in that Service's status.
 */
export function clusterEndpoints({
  context: { model, deployment },
  plan,
}: PlannedKubernetes): Readonly<Record<string, Endpoint>> {
  if (deployment.kubernetes.publish.from.length === 0) return {};
  const services = plan.objects.filter((object) => object.kind === "Service");
  const own = model.components.filter(({ external }) => external === undefined);
  const published = own.flatMap(({ name: component, ports }) =>
    ports.filter(({ publish }) => publish === true).map((port) => ({ component, port })),
  );
  return Object.fromEntries(
    published.map(({ component, port: { name, port: inside, protocol } }) => {
      const handedOut = services.find(({ metadata }) => metadata.name === `${component}-published`);
      const ports = handedOut !== undefined && "spec" in handedOut ? portsOf(handedOut.spec) : [];
      const endpoint = {
        address: serviceHost(handedOut?.metadata.name ?? component, deployment),
        port: ports.find((port) => port.name === name)?.port ?? inside,
        protocol,
        serverName: serverName(component, deployment.tenant),
      };
      return [`${component}.${name}`, endpoint] as const;
    }),
  );
}

interface NamedPort {
  readonly name: string;
  readonly port: number;
}

function portsOf(spec: unknown): readonly NamedPort[] {
  return (spec as { readonly ports?: readonly NamedPort[] }).ports ?? [];
}

/** Every secret that a pod mounts: the names of its Secret and in it. */
export function clusterSecrets({ plan }: PlannedKubernetes): readonly SecretReference[] {
  const { namespace } = plan.deployment.kubernetes;
  return plan.secrets.flatMap(({ secret, keys }) =>
    keys.map((name) => ({ component: secret, name, namespace, secret })),
  );
}
