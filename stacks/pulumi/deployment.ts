import { ComponentResource, type ComponentResourceOptions, log, type Output, output } from "@pulumi/pulumi";
import { deploymentWarnings } from "../../profiles/warnings.ts";
import type { TrustKernDeploymentArgs } from "./args.ts";
import { pulumiErrors } from "./errors.ts";
import { now } from "./host.ts";
import {
  type Endpoint,
  endpointsOf,
  type ProcessLimit,
  processLimitsOf,
  type SecretReference,
  secretsOf,
} from "./outputs.ts";
import { planDeployment } from "./plan-deployment.ts";
import { registerObjects } from "./register.ts";

/** Never changes: it is in the state of every stack that has a deployment. */
const TYPE = "trustkern:index:TrustKernDeployment";

/**
 * A deployment of TrustKern on the docker engine: the networks, images and containers of the same plan that `trustkern deploy` applies,
 * held against the same rules. What containers mount has to be on the host before them, and is no part of this: docs/guides/pulumi.md.
 */
export class TrustKernDeployment extends ComponentResource {
  /** ID of each container, by component. */
  readonly containers: Output<Readonly<Record<string, string>>>;
  /** ID of each network, by the flow or the published component that it is for. */
  readonly networks: Output<Readonly<Record<string, string>>>;
  /** Where each published port is reached, by component and port such as `broker.mqtts`. */
  readonly endpoints: Output<Readonly<Record<string, Endpoint>>>;
  /** Secrets by reference: what each is called, and its file on the host. */
  readonly secrets: Output<readonly SecretReference[]>;
  /** What the provider cannot set: the most processes of each container. */
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
    const { containers, networks } = registerObjects(planned.objects, this, name);
    this.containers = idsOf(containers);
    this.networks = idsOf(networks);
    this.endpoints = output(endpointsOf(planned)) as typeof this.endpoints;
    this.secrets = output(secretsOf(planned)) as typeof this.secrets;
    this.processLimits = output(processLimitsOf(planned)) as typeof this.processLimits;
    this.registerOutputs({
      containers: this.containers,
      networks: this.networks,
      endpoints: this.endpoints,
      secrets: this.secrets,
      processLimits: this.processLimits,
    });
  }
}

/** What Pulumi would run after the check, on what was checked. */
const AFTER_CHECK = ["transformations", "transforms"] as const;

function assertOptions(options: ComponentResourceOptions): void {
  const used = AFTER_CHECK.filter((name) => (options[name] ?? []).length > 0);
  if (used.length === 0) return;
  const message = `${used.join(" and ")} would change objects after they were checked`;
  throw pulumiErrors.error("PULUMI_OPTION", message, { path: `options.${used[0]}` });
}

function idsOf(
  resources: Readonly<Record<string, { readonly id: Output<string> }>>,
): Output<Readonly<Record<string, string>>> {
  return output(Object.fromEntries(Object.entries(resources).map(([name, { id }]) => [name, id])));
}
