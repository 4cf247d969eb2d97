import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { runCli } from "../../cli/test-io.ts";
import { buildModel } from "../../modules/index.ts";
import { LOCK_FILE, renderImageLock } from "../../operations/images/lock-file.ts";
import { imageNamesOf, referenceOf, repositoryOf } from "../../operations/images/lock-images.ts";
import { digestOf, testSigner } from "../../operations/images/signatures/test-signer.ts";
import { withValue } from "../../profiles/test-files.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { kubernetesPlacement } from "../../stacks/kubernetes/placement.ts";
import { deploymentOf } from "../../stacks/kubernetes/test-deployments.ts";

const MIRROR = "registry.example";

/** What `trustkern export` has a form for, with the folder that it writes. */
const FOLDERS = { kubernetes: "manifests", compose: "compose" } as const;

/** What `trustkern export` wrote. */
export interface Exported {
  readonly folder: string;
  /** Names of its files. */
  readonly files: readonly string[];
}

/** Exports the deployment of a file's value, its images locked, and signed where it asks for that, below `dir`. */
export async function exported(file: object, dir: string, form: keyof typeof FOLDERS): Promise<Exported> {
  mkdirSync(dir, { recursive: true });
  const signer = testSigner();
  const [signedBy, asked] = [join(dir, "images.pub"), deploymentOf(file).images];
  writeFileSync(signedBy, signer.pem);
  const mirrored =
    asked.source === "registry" && asked.mirror === undefined ? withValue(file, "images.mirror", MIRROR) : file;
  const value = asked.signedBy === undefined ? mirrored : withValue(mirrored, "images.signedBy", signedBy);

  const deployment = deploymentOf(value);
  const { images } = deployment;
  const placement = form === "kubernetes" ? kubernetesPlacement(deployment) : dockerPlacement(deployment);
  const pins = imageNamesOf(buildModel(deployment, placement)).map((name) => {
    const pin = { reference: referenceOf(images, name, "1.0.0"), digest: digestOf(name) };
    if (images.signedBy === undefined) return [name, pin] as const;
    return [name, { ...pin, signature: signer.sign(repositoryOf(images, name), pin.digest) }] as const;
  });
  writeFileSync(join(dir, "trustkern.yaml"), stringify(value));
  writeFileSync(join(dir, LOCK_FILE), renderImageLock({ source: images.source, images: Object.fromEntries(pins) }));
  const ended = await runCli(["export", form, "-o", FOLDERS[form], "--json"], { cwd: dir });
  if (ended.exit !== 0) throw new Error(`${ended.stdout}${ended.stderr}`);
  return JSON.parse(ended.stdout);
}
