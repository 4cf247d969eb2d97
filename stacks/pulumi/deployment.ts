import { ComponentResource, type ComponentResourceOptions, log, type Output, output } from "@pulumi/pulumi";
import { deploymentWarnings } from "../../profiles/warnings.ts";
import type { TrustKernDeploymentArgs } from "./args.ts";
import { pulumiErrors } from "./errors.ts";
import { now } from "./host.ts";
import { clusterEndpoints, clusterSecrets } from "./kubernetes/outputs.ts";
import type { PlannedKubernetes } from "./kubernetes/plan-kubernetes.ts";
import { registerKubernetes } from "./kubernetes/register.ts";
import {
  type Endpoint,
  endpointsOf,
  type ProcessLimit,
  processLimitsOf,
  type SecretReference,
  secretsOf,
} from "./outputs.ts";
import { type PlannedDocker, planDeployment } from "./plan-deployment.ts";
import { registerObjects } from "./register.ts";

/** Never changes: it is in the state of every stack that has a deployment. */
const TYPE = "trustkern:index:TrustKernDeployment";

/**
 * A deployment of TrustKern: with the engine docker the networks, images and containers of the same plan that `trustkern deploy` applies,
 * with Kubernetes the objects of `trustkern export kubernetes`, held against the same rules. Secrets, and what containers mount of a
 * host, are no part of this: docs/guides/pulumi.md.
 */
export class TrustKernDeployment extends ComponentResource {
  /** ID of each container, by component; none with Kubernetes. */
  readonly containers: Output<Readonly<Record<string, string>>>;
  /** ID of each network, by the flow or the published component that it is for; none with Kubernetes. */
  readonly networks: Output<Readonly<Record<string, string>>>;
  /** ID of each object of Kubernetes, by kind and name such as `StatefulSet/collector`; none with docker. */
  readonly objects: Output<Readonly<Record<string, string>>>;
  /** The namespace that is the deployment's alone; none with docker. */
  readonly namespace: Output<string | undefined>;
  /** Where each published port is reached, by component and port such as `broker.mqtts`. */
  readonly endpoints: Output<Readonly<Record<string, Endpoint>>>;
  /** Secrets by reference: what each is called, and its file on the host or its Secret. */
  readonly secrets: Output<readonly SecretReference[]>;
  /** What the provider cannot set: the most processes of each container; none with Kubernetes. */
  readonly processLimits: Output<readonly ProcessLimit[]>;

  /**
   * Checks everything before it registers anything: after an error, nothing is in the stack.
   * @throws PULUMI_OPTION, and what {@link planDeployment} throws
   */
  constructor(name: string, args: TrustKernDeploymentArgs, options: ComponentResourceOptions = {}) {
    assertOptions(options);
    const planned = planDeployment(args);
    super(TYPE, name, {}, options);
    for (const { path, message } of deploymentWarnings(planned.context.deployment, now())) {
      log.warn(`deployment.${path}: ${message}`, this);
    }
    const made = planned.engine === "docker" ? onDocker(planned, this, name) : onKubernetes(planned, this, name);
    this.containers = idsOf(made.containers);
    this.networks = idsOf(made.networks);
    this.objects = idsOf(made.objects);
    this.namespace = output(made.namespace);
    this.endpoints = output(made.endpoints) as typeof this.endpoints;
    this.secrets = output(made.secrets) as typeof this.secrets;
    this.processLimits = output(made.processLimits) as typeof this.processLimits;
    this.registerOutputs({
      containers: this.containers,
      networks: this.networks,
      objects: this.objects,
      namespace: this.namespace,
      endpoints: this.endpoints,
      secrets: this.secrets,
      processLimits: this.processLimits,
    });
  }
}

type Resources = Readonly<Record<string, { readonly id: Output<string> }>>;

/** What was registered, and what the program gets of it. */
interface Made {
  readonly containers: Resources;
  readonly networks: Resources;
  readonly objects: Resources;
  readonly namespace: string | undefined;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly secrets: readonly SecretReference[];
  readonly processLimits: readonly ProcessLimit[];
}

function onDocker(planned: PlannedDocker, parent: ComponentResource, name: string): Made {
  const { containers, networks } = registerObjects(planned.objects, parent, name);
  return {
    ...{ containers, networks, objects: {}, namespace: undefined },
    ...{ endpoints: endpointsOf(planned), secrets: secretsOf(planned), processLimits: processLimitsOf(planned) },
  };
}

function onKubernetes(planned: PlannedKubernetes, parent: ComponentResource, name: string): Made {
  const objects = Object.fromEntries(registerKubernetes(planned.objects, parent, name));
  const { namespace } = planned.context.deployment.kubernetes;
  return {
    ...{ containers: {}, networks: {}, objects, namespace },
    ...{ endpoints: clusterEndpoints(planned), secrets: clusterSecrets(planned), processLimits: [] },
  };
}

/** What Pulumi would run after the check, on what was checked. */
const AFTER_CHECK = ["transformations", "transforms"] as const;

function assertOptions(options: ComponentResourceOptions): void {
  const used = AFTER_CHECK.filter((name) => (options[name] ?? []).length > 0);
  if (used.length === 0) return;
  const message = `${used.join(" and ")} would change objects after they were checked`;
  throw pulumiErrors.error("PULUMI_OPTION", message, { path: `options.${used[0]}` });
}

function idsOf(resources: Resources): Output<Readonly<Record<string, string>>> {
  return output(Object.fromEntries(Object.entries(resources).map(([name, { id }]) => [name, id])));
}
