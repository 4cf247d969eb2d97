import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { renderImageLock } from "../../operations/images/lock-file.ts";
import { imageNamesOf, referenceOf } from "../../operations/images/lock-images.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { LEAST_FILES } from "../../profiles/test-files.ts";
import type { ImagePins } from "../../stacks/docker/images.ts";
import { KUBERNETES_FILES } from "../../stacks/kubernetes/test-deployments.ts";

/** What came of rendering a deployment once. */
export interface Synthesised {
  /** Components of the model. */
  readonly components: number;
  /** What came out, as JSON. @default the plan has no text */
  readonly text?: string;
}

/** Renders a deployment as one engine does, as often as it is called; everything that it loads is loaded when it is made. */
export type Synthesise = (folder: string) => Promise<() => Promise<Synthesised>>;

const GATEWAYS = ["gw-01", "gw-02"];
const ON_DOCKER = { ...LEAST_FILES["customer-tenant"], gateways: GATEWAYS };
const { external: _, ...KUBERNETES } = KUBERNETES_FILES["customer-tenant"].kubernetes;
/** With every part of its own, as on docker. */
const ON_KUBERNETES = { ...KUBERNETES_FILES["customer-tenant"], gateways: GATEWAYS, kubernetes: KUBERNETES };
const STATE_FILE = "terraform.tfstate";
const RUN_AS = { uid: 10_001, gid: 10_001 };

/** Every way to render a deployment, by what it is called in the table. */
export const ENGINES: Readonly<Record<string, Synthesise>> = {
  "embedded: plan": async (folder) => {
    const [{ planEmbedded }, { layoutOf }] = await Promise.all([
      import("../../stacks/embedded/plan.ts"),
      import("../../stacks/host/layout.ts"),
    ]);
    const deployment = deploymentOf({ name: "demo", tenant: "acme", profile: "dev" });
    return async () => {
      const { model } = await planEmbedded(deployment, layoutOf(folder, folder), {});
      return { components: model.components.length };
    };
  },
  "docker: Terraform JSON by cdktf": async (folder) => {
    const { renderDocker } = await import("../../stacks/docker/life/render.ts");
    const { dockerPlacement } = await import("../../stacks/docker/placement.ts");
    const deployment = deploymentOf(ON_DOCKER);
    const images = pinsOf(deployment, buildModel(deployment, dockerPlacement(deployment)));
    return async () => {
      const { stack, model } = renderDocker({ deployment, images, dir: folder, temporaryDir: folder, runAs: RUN_AS });
      return { components: model.components.length, text: JSON.stringify(stack) };
    };
  },
  "docker: Pulumi under mocks": async (folder) => underMocks(ON_DOCKER, folder, { dir: folder, runAs: RUN_AS }),
  "kubernetes: manifests": async () => {
    const { renderKubernetes } = await import("../../stacks/kubernetes/render.ts");
    const { manifestFiles } = await import("../../stacks/kubernetes/manifests.ts");
    const target = await kubernetesTarget();
    return async () => {
      const { plan, model } = renderKubernetes(target);
      return { components: model.components.length, text: Object.values(manifestFiles(plan)).join("") };
    };
  },
  "kubernetes: Terraform JSON by cdktf": async () => {
    const { renderKubernetes } = await import("../../stacks/kubernetes/render.ts");
    const { synthJson } = await import("../../stacks/kubernetes/cdktf.ts");
    const target = await kubernetesTarget();
    const state = { backend: target.deployment.state, localFile: STATE_FILE };
    return async () => {
      const { plan, model } = renderKubernetes(target);
      return { components: model.components.length, text: JSON.stringify(synthJson(plan, state)) };
    };
  },
  "kubernetes: Pulumi under mocks": async (folder) => underMocks(ON_KUBERNETES, folder, {}),
};

/** Registers a deployment as a Pulumi program does, with nobody who makes anything. */
async function underMocks(file: object, folder: string, more: object): ReturnType<Synthesise> {
  const { runtime } = await import("@pulumi/pulumi");
  const { TrustKernDeployment } = await import("../../stacks/pulumi/deployment.ts");
  const { model, ...locked } = await lockedModel(file);
  const imageLock = join(folder, "images.lock.yaml");
  writeFileSync(imageLock, renderImageLock(locked as never));
  const args = { deployment: file, imageLock, ...more } as never;
  return async () => {
    const registered: unknown[] = [];
    await runtime.setMocks({
      newResource: ({ name, inputs }) => {
        registered.push(inputs);
        return { id: name, state: { ...inputs, imageId: name } };
      },
      call: () => ({}),
    });
    new TrustKernDeployment("demo", args);
    await runtime.disconnect();
    return { components: model.components.length, text: JSON.stringify(registered) };
  };
}

async function lockedModel(file: object): Promise<ImagePins & { readonly model: Model }> {
  const { referencePlacement } = await import("../../modules/reference-placement.ts");
  const deployment = deploymentOf(file);
  const model = buildModel(deployment, referencePlacement(deployment));
  return { model, ...pinsOf(deployment, model) };
}

async function kubernetesTarget() {
  const { kubernetesPlacement } = await import("../../stacks/kubernetes/placement.ts");
  const deployment = deploymentOf(ON_KUBERNETES);
  return { deployment, images: pinsOf(deployment, buildModel(deployment, kubernetesPlacement(deployment))) };
}

function deploymentOf(file: object): Deployment {
  return parseDeploymentYaml(JSON.stringify(file), "trustkern.yaml");
}

function pinsOf({ images }: Deployment, model: Model): ImagePins {
  const pins = imageNamesOf(model).map((name) => {
    const digest = `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64)}`;
    return [name, { reference: referenceOf(images, name, "1.0.0"), digest }] as const;
  });
  return { source: images.source, images: Object.fromEntries(pins) };
}
