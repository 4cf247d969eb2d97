import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Output, runtime } from "@pulumi/pulumi";
import { afterAll } from "vitest";
import { parse } from "yaml";
import { buildModel } from "../../modules/index.ts";
import { type ImageLock, renderImageLock } from "../../operations/images/lock-file.ts";
import { imageNamesOf, referenceOf, repositoryOf } from "../../operations/images/lock-images.ts";
import { digestOf, testSigner } from "../../operations/images/signatures/test-signer.ts";
import { readDeploymentInput } from "../../profiles/parse.ts";
import type { DeploymentInput } from "../../profiles/schema.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import type { TrustKernDeploymentArgs } from "../../stacks/pulumi/args.ts";
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
export function exampleArgs(example: string, dir = "/srv/tk"): TrustKernDeploymentArgs {
  const folder = freshFolder();
  const input = exampleInput(example);
  const signer = testSigner();
  const signedBy = join(folder, "images.pub");
  const { images: said } = input;
  if (said?.signedBy !== undefined) writeFileSync(signedBy, signer.pem);
  const signed = said?.signedBy !== undefined;
  const deploymentInput = signed ? { ...input, images: { ...said, signedBy } } : input;
  const { deployment } = readDeploymentInput(deploymentInput, example);
  const names = imageNamesOf(buildModel(deployment, dockerPlacement(deployment)));
  const images = names.map((name) => {
    const image = { reference: referenceOf(deployment.images, name, "1.0.0"), digest: digestOf(name) };
    if (!signed) return [name, image] as const;
    return [name, { ...image, signature: signer.sign(repositoryOf(deployment.images, name), image.digest) }] as const;
  });
  const lock: ImageLock = { source: deployment.images.source, images: Object.fromEntries(images) };
  const imageLock = join(folder, "images.lock.yaml");
  writeFileSync(imageLock, renderImageLock(lock));
  return { deployment: deploymentInput, dir, imageLock, runAs: { uid: 10_001, gid: 10_001 } };
}
