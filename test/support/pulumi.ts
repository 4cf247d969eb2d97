import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Output, runtime } from "@pulumi/pulumi";
import { afterAll } from "vitest";
import { parse } from "yaml";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { buildModel } from "../../modules/index.ts";
import { type ImageLock, renderImageLock } from "../../operations/images/lock-file.ts";
import { imageNamesOf, referenceOf, repositoryOf } from "../../operations/images/lock-images.ts";
import { digestOf, testSigner } from "../../operations/images/signatures/test-signer.ts";
import { readDeploymentInput } from "../../profiles/parse.ts";
import type { DeploymentInput } from "../../profiles/schema.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { kubernetesPlacement } from "../../stacks/kubernetes/placement.ts";
import type {
  DockerDeploymentArgs,
  KubernetesDeploymentArgs,
  TrustKernDeploymentArgs,
} from "../../stacks/pulumi/args.ts";
import type { PlannedKubernetes } from "../../stacks/pulumi/kubernetes/plan-kubernetes.ts";
import { type PlannedDocker, planDeployment } from "../../stacks/pulumi/plan-deployment.ts";
import { scratch } from "./deployment.ts";

const root = scratch("pulumi");
afterAll(() => root.remove());

/** A folder that is gone after the last test of the file. */
export function freshFolder(): string {
  return mkdtempSync(join(root.dir, "folder-"));
}

/** A registration as the engine would be asked for it. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly provider: string | undefined;
}

/** What a program registered, without an engine, and what of it the program has in its hands. */
export interface Registered<T> {
  readonly result: T;
  readonly registrations: readonly Registration[];
}

/** The ID of an image, as an engine would have it. */
export const imageIdOf = (name: unknown): string => digestOf(String(name));

/**
 * Runs a program under mocks, until everything that it asked for is answered.
 * @param seen hears of each registration as it is asked for
 */
export async function underMocks<T>(program: () => T, seen: Registration[] = []): Promise<Registered<T>> {
  await runtime.setMocks({
    newResource: ({ type, name, inputs, provider }) => {
      seen.push({ type, name, inputs, provider });
      const more = type === "docker:index/remoteImage:RemoteImage" ? { imageId: imageIdOf(inputs.name) } : {};
      return { id: `id-of-${name}`, state: { ...inputs, ...more } };
    },
    call: () => ({}),
  });
  try {
    return { result: program(), registrations: seen };
  } finally {
    await runtime.disconnect();
  }
}

/** The value of an output. */
export function known<T>(output: Output<T>): Promise<unknown> {
  return new Promise((resolve) => {
    output.apply((value) => resolve(value));
  });
}

/** The examples that have the engine docker. */
export const EXAMPLES = ["single-host", "eu-hosted", "air-gapped"] as const;

/** What the trustkern.yaml of an example says. */
export function exampleInput(example: string): DeploymentInput {
  return parse(readFileSync(join("examples", example, "trustkern.yaml"), "utf8"));
}

/** The arguments of a program for an example, with every image locked, and signed where the example asks for that. */
export function exampleArgs(example: string, dir = "/srv/tk"): DockerDeploymentArgs {
  const locked = lockedInput(exampleInput(example), dockerPlacement);
  return { ...locked, dir, runAs: { uid: 10_001, gid: 10_001 } };
}

/** The arguments of a program for a file of the engine kubernetes, with every image locked. */
export function clusterArgs(file: object): KubernetesDeploymentArgs & { readonly imageLock: string } {
  const input = file as DeploymentInput;
  // Upstream's own registries are on no list of what the file may reach.
  const images =
    input.images?.signedBy === undefined ? {} : { images: { ...input.images, mirror: "registry.example" } };
  const { deployment, imageLock } = lockedInput({ ...input, ...images }, kubernetesPlacement);
  return { deployment: { ...deployment, engine: "kubernetes" }, imageLock };
}

/** A file with a lock of its images, and a signature of each where it asks for that. */
function lockedInput(input: DeploymentInput, placementOf: (deployment: Deployment) => Placement) {
  const folder = freshFolder();
  const signer = testSigner();
  const signedBy = join(folder, "images.pub");
  const { images: said } = input;
  const signed = said?.signedBy !== undefined;
  if (signed) writeFileSync(signedBy, signer.pem);
  const deploymentInput = signed ? { ...input, images: { ...said, signedBy } } : input;
  const { deployment } = readDeploymentInput(deploymentInput, "trustkern.yaml");
  const names = imageNamesOf(buildModel(deployment, placementOf(deployment)));
  const images = names.map((name) => {
    const image = { reference: referenceOf(deployment.images, name, "1.0.0"), digest: digestOf(name) };
    if (!signed) return [name, image] as const;
    return [name, { ...image, signature: signer.sign(repositoryOf(deployment.images, name), image.digest) }] as const;
  });
  const lock: ImageLock = { source: deployment.images.source, images: Object.fromEntries(images) };
  const imageLock = join(folder, "images.lock.yaml");
  writeFileSync(imageLock, renderImageLock(lock));
  return { deployment: deploymentInput, imageLock };
}

/** The plan of a deployment on the docker engine. */
export function planDocker(args: TrustKernDeploymentArgs): PlannedDocker {
  const planned = planDeployment(args);
  if (planned.engine !== "docker") throw new Error(`planned for ${planned.engine}`);
  return planned;
}

/** The plan of a deployment on Kubernetes. */
export function planCluster(args: TrustKernDeploymentArgs): PlannedKubernetes {
  const planned = planDeployment(args);
  if (planned.engine !== "kubernetes") throw new Error(`planned for ${planned.engine}`);
  return planned;
}
