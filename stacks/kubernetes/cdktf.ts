import { ConfigMapV1 } from "@cdktf/provider-kubernetes/lib/config-map-v1/index.js";
import { DeploymentV1 } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import { HorizontalPodAutoscalerV2 } from "@cdktf/provider-kubernetes/lib/horizontal-pod-autoscaler-v2/index.js";
import { JobV1 } from "@cdktf/provider-kubernetes/lib/job-v1/index.js";
import { NamespaceV1 } from "@cdktf/provider-kubernetes/lib/namespace-v1/index.js";
import { NetworkPolicyV1 } from "@cdktf/provider-kubernetes/lib/network-policy-v1/index.js";
import { PodDisruptionBudgetV1 } from "@cdktf/provider-kubernetes/lib/pod-disruption-budget-v1/index.js";
import { KubernetesProvider, type KubernetesProviderConfig } from "@cdktf/provider-kubernetes/lib/provider/index.js";
import { ServiceAccountV1 } from "@cdktf/provider-kubernetes/lib/service-account-v1/index.js";
import { ServiceV1 } from "@cdktf/provider-kubernetes/lib/service-v1/index.js";
import { StatefulSetV1 } from "@cdktf/provider-kubernetes/lib/stateful-set-v1/index.js";
import type { TerraformMetaArguments, TerraformResource } from "cdktf";
import type { Construct } from "constructs";
import { EngineStack, jsonOf, type StackState, writeStack } from "../cdktf/stack.ts";
import { kubernetesStackErrors } from "./errors.ts";
import type { PlannedObject } from "./objects.ts";
import type { KubernetesPlan, SecretNames } from "./plan.ts";
import { assertSaid, type ExpectedResources } from "./terraform/assert-said.ts";
import { attributesOf, snakeCase } from "./terraform/attributes.ts";
import { neededBefore } from "./terraform/needs.ts";
import { type Unsaid, unsaidOf } from "./terraform/unsaid.ts";

/** The provider that the stack asks for: its address with the registry's name, and the release that the bindings were made from. */
export const KUBERNETES_PROVIDER = { source: "registry.terraform.io/hashicorp/kubernetes", version: "2.38.0" } as const;

/** What a stack is made of. */
export interface KubernetesStackOptions {
  readonly plan: Pick<KubernetesPlan, "objects" | "secrets">;
  /** Where its state goes; without it whoever makes the stack adds a back end. */
  readonly state: StackState | undefined;
  /** How the provider reaches the cluster. @default what `KUBE_CONFIG_PATH` and the provider's other variables say */
  readonly provider?: KubernetesProviderConfig | undefined;
}

/** The Terraform JSON of a plan, such as `cdktf synth` writes it. @throws KUBERNETES_TERRAFORM */
export function synthJson({ deployment, ...plan }: KubernetesPlan, state: StackState): unknown {
  return jsonOf((scope) => new KubernetesStack(scope, deployment.name, { plan, state }));
}

/**
 * Writes the Terraform JSON and the manifest to the folder that `cdktf synth` names, or to `cdktf.out`.
 * @throws KUBERNETES_TERRAFORM
 */
export function writeSynth({ deployment, ...plan }: KubernetesPlan, state: StackState): void {
  writeStack((scope) => new KubernetesStack(scope, deployment.name, { plan, state }));
}

/** The objects of a plan as resources. What comes out is held against the plan when it is synthesised. */
export class KubernetesStack extends EngineStack {
  /** Secrets that have to be there, by name: `trustkern` writes them, and no state of Terraform's has one. */
  readonly secrets: readonly SecretNames[];
  /** What the provider has no word for. */
  readonly unsaid: readonly Unsaid[];
  readonly #expected: ExpectedResources;

  constructor(scope: Construct, id: string, { plan, state, provider = {} }: KubernetesStackOptions) {
    super(scope, id, state);
    this.secrets = plan.secrets;
    this.unsaid = unsaidOf(plan.objects);
    new KubernetesProvider(this, "kubernetes", provider);
    this.addOverride("terraform.required_providers.kubernetes", KUBERNETES_PROVIDER);
    const made = new Map<PlannedObject, TerraformResource>();
    for (const object of plan.objects) {
      const needed = neededBefore(object, plan.objects).flatMap((each) => made.get(each) ?? []);
      made.set(object, addResource(this, object, needed));
    }
    this.#expected = expectedOf(plan.objects);
  }

  override toTerraform(): unknown {
    const stack = super.toTerraform();
    assertSaid(stack, this.#expected);
    return stack;
  }
}

type Resource = (new (
  scope: Construct,
  id: string,
  config: never,
) => TerraformResource) & {
  readonly tfResourceType: string;
};

/** A kind's resource, and what Terraform wants to know of it beside the object. */
interface Rendering {
  readonly resource: Resource;
  /** Attributes, as the bindings call them. @default none */
  readonly more?: Readonly<Record<string, boolean>>;
  readonly lifecycle?: "createBeforeDestroy" | "preventDestroy";
}

// Nothing is waited for: custody is not ready before a person opens it, and a resource that fails at its first apply is made anew
// by the next.
const UNHURRIED = { waitForRollout: false };

const RENDERINGS: Readonly<Record<string, Rendering>> = {
  // With the namespace, volumes and Secrets would go.
  "v1 Namespace": { resource: NamespaceV1, lifecycle: "preventDestroy" },
  "v1 ServiceAccount": { resource: ServiceAccountV1 },
  "networking.k8s.io/v1 NetworkPolicy": { resource: NetworkPolicyV1 },
  // Another content is another object: the old one goes after nobody starts with it any more.
  "v1 ConfigMap": { resource: ConfigMapV1, lifecycle: "createBeforeDestroy" },
  "v1 Service": { resource: ServiceV1, more: { waitForLoadBalancer: false } },
  "apps/v1 StatefulSet": { resource: StatefulSetV1, more: UNHURRIED },
  "apps/v1 Deployment": { resource: DeploymentV1, more: UNHURRIED },
  "batch/v1 Job": { resource: JobV1, more: { waitForCompletion: false }, lifecycle: "createBeforeDestroy" },
  "policy/v1 PodDisruptionBudget": { resource: PodDisruptionBudgetV1 },
  "autoscaling/v2 HorizontalPodAutoscaler": { resource: HorizontalPodAutoscalerV2 },
};

function renderingOf({ apiVersion, kind, metadata: { name } }: PlannedObject): Rendering {
  const known = RENDERINGS[`${apiVersion} ${kind}`];
  if (known !== undefined) return known;
  const message = `${kind}/${name} of ${apiVersion} has no resource; accepted: ${Object.keys(RENDERINGS).join(", ")}`;
  throw kubernetesStackErrors.error("KUBERNETES_TERRAFORM", message, { path: `${kind}/${name}` });
}

/** Name of an object's resource. Never changes by accident: it is in the state. Names of Kubernetes have no `_`, but may begin with a digit. */
function resourceName({ metadata: { name } }: PlannedObject): string {
  return name.replaceAll(".", "_").replace(/^(?=\d)/, "_");
}

function addResource(
  stack: KubernetesStack,
  object: PlannedObject,
  dependsOn: readonly TerraformResource[],
): TerraformResource {
  const { resource: Kind, more, lifecycle } = renderingOf(object);
  const meta: TerraformMetaArguments = {
    ...(dependsOn.length > 0 ? { dependsOn: [...dependsOn] } : {}),
    ...(lifecycle === undefined ? {} : { lifecycle: { [lifecycle]: true } }),
  };
  const name = resourceName(object);
  // The bindings' own types hold for texts in a program; what they make of this is held against the plan.
  const resource = new Kind(stack, `${object.kind}_${name}`, {
    ...attributesOf(object, "camelCase"),
    ...more,
    ...meta,
  } as never);
  resource.overrideLogicalId(name);
  return resource;
}

function expectedOf(objects: readonly PlannedObject[]): ExpectedResources {
  const addressOf = (object: PlannedObject) => `${renderingOf(object).resource.tfResourceType}.${resourceName(object)}`;
  const resources = objects.map((object) => {
    const { resource, more = {}, lifecycle } = renderingOf(object);
    const needed = neededBefore(object, objects).map(addressOf);
    const attributes = {
      ...attributesOf(object, "snake_case"),
      ...Object.fromEntries(Object.entries(more).map(([name, value]) => [snakeCase(name), value])),
      ...(lifecycle === undefined ? {} : { lifecycle: { [snakeCase(lifecycle)]: true } }),
      ...(needed.length > 0 ? { depends_on: needed } : {}),
    };
    return { type: resource.tfResourceType, entry: [resourceName(object), attributes] as const };
  });
  const types = Object.entries(Object.groupBy(resources, ({ type }) => type));
  return Object.fromEntries(types.map(([type, of = []]) => [type, Object.fromEntries(of.map(({ entry }) => entry))]));
}
