import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import type { Deployed } from "../../operations/verify/rendered/deployed.ts";
import type { RenderedSubject } from "../../operations/verify/rendered/index.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { STATE_FILE, synthJson } from "../../stacks/docker/cdktf.ts";
import type { ImagePins } from "../../stacks/docker/images.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { planContainers } from "../../stacks/docker/plan.ts";
import { layoutOf } from "../../stacks/host/layout.ts";

/** The stack of a deployment whose images are locked, and what it is held against: it was deployed just so. */
export interface RenderedDeployment {
  readonly stack: unknown;
  readonly subject: RenderedSubject;
}

/** Deployments of several kinds: one host with what it builds itself, with two gateways, upstream images with Grafana, in a region. */
export const DEPLOYMENTS: Readonly<Record<"single-host" | "two-gateways" | "upstream" | "eu-hosted", Deployment>> =
  (() => {
    const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
    const hosted = resolveDeployment({
      name: "prod",
      tenant: "acme",
      profile: "eu-hosted",
      hosting: { region: "eu-central-1", account: "000000000000" },
      state: { backend: "s3", bucket: "states", key: "acme/prod.tfstate", region: "eu-central-1" },
    });
    return {
      "single-host": { ...dev, images: { ...dev.images, source: "packages", grafana: "absent" } },
      "two-gateways": { ...dev, gateways: ["gw-01", "gw-02"], simulator: { sensors: 0, ratePerSecond: 1 } },
      upstream: { ...dev, images: { ...dev.images, source: "registry", grafana: "present" } },
      "eu-hosted": hosted,
    };
  })();

/** Renders a deployment; `change` may turn its model into another one first. */
export function renderedDeployment(
  deployment: Deployment,
  change: (model: Model) => Model = (model) => model,
): RenderedDeployment {
  const model = change(buildModel(deployment, dockerPlacement(deployment)));
  const pins = model.components.map(({ image = "" }) => {
    const digest = `sha256:${Buffer.from(image).toString("hex").padEnd(64, "0").slice(0, 64)}`;
    return [image, { reference: `registry.example/${image}:1.0.0`, digest }] as const;
  });
  const images: ImagePins = { source: deployment.images.source, images: Object.fromEntries(pins) };
  const target = {
    deployment,
    layout: layoutOf("/srv/trustkern", "/tmp"),
    runAs: { uid: 10_001, gid: 10_001 },
    images,
  };
  const stack: unknown = synthJson(planContainers(model, target), { backend: deployment.state, localFile: STATE_FILE });
  return { stack, subject: { ...target, model, deployed: deployedAs(stack, model) } };
}

/** What a deploy of a stack leaves on its host. */
export function deployedAs(stack: unknown, { components }: Pick<Model, "components">): Deployed {
  return {
    stackPath: ".trustkern/terraform/cdk.tf.json",
    stack: { text: `${stableJson(stack, 2)}\n` },
    files: components.flatMap(({ name, files }) =>
      files.map(({ path, content }) => {
        const file = `.trustkern/config/${name}${path.slice("/etc/trustkern".length)}`;
        return { component: name, path: file, found: { text: content }, rendered: content };
      }),
    ),
  };
}
