import type { Deployment } from "../../../model/deployment.ts";
import { buildModel } from "../../../modules/index.ts";
import { EXIT, TrustKernError } from "../../../shared/errors.ts";
import { dockerPlacement } from "../../../stacks/docker/placement.ts";
import { LOCK_FILE as PROVIDER_LOCK } from "../../../stacks/docker/terraform/init.ts";
import { type BuildContext, nodeVersion } from "../../images/build/contents.ts";
import { KNOWN_IMAGES } from "../../images/known-images.ts";
import { LOCK_FILE, renderImageLock } from "../../images/lock-file.ts";
import { imageNamesOf } from "../../images/lock-images.ts";
import { bundleFormatErrors } from "../format/errors.ts";
import type { BundleContents } from "../format/write.ts";
import { provenanceOf } from "../provenance/provenance.ts";
import { imageParts } from "../sbom/of-image.ts";
import { toolkitParts } from "../sbom/of-toolkit.ts";
import type { Part } from "../sbom/part.ts";
import { sbomOf } from "../sbom/render.ts";
import { type PreparedToolkit, prepareToolkit } from "../toolkit/prepare.ts";
import { assemble } from "./assemble.ts";
import { documentFiles } from "./documents.ts";
import { bundleCreateErrors } from "./errors.ts";
import { type BundleImages, bundleImages, bundleLock } from "./images.ts";
import { providerLock } from "./provider-lock.ts";
import { type BundleFile, fileOf } from "./source.ts";
import { siteStack } from "./stack.ts";

/** What {@link gather} is handed. */
export interface GatherRequest extends BuildContext {
  readonly deployment: Deployment;
  /** Text of the deployment's file, as it is. */
  readonly deploymentFile: string;
  /** Of the toolkit and of every image. */
  readonly version: string;
  readonly temporaryDir: string;
}

/**
 * The names of the images that a bundle of a deployment has, with the one that verifies it. All that the deployment has can be made.
 * @throws BUNDLE_NOT_TAKEN, BUNDLE_IMAGE_UNMAKEABLE
 */
export function bundledNames(deployment: Deployment): readonly string[] {
  const { name, images } = deployment;
  const { source } = images;
  if (source !== "bundle") {
    const message = `images.source is "${source}" in the deployment "${name}"; accepted: bundle`;
    throw bundleCreateErrors.error("BUNDLE_NOT_TAKEN", message, { path: "images.source" });
  }
  const names = imageNamesOf(buildModel(deployment, dockerPlacement(deployment)));
  const unmade = names.filter((each) => KNOWN_IMAGES[each] !== undefined && KNOWN_IMAGES[each].contents === undefined);
  if (unmade.length === 0) return names;
  const message = `the deployment "${name}" has ${unmade.join(", ")}, which cannot be made here and comes from a registry alone`;
  throw bundleCreateErrors.error("BUNDLE_IMAGE_UNMAKEABLE", message, {
    path: unmade.map((each) => `images.${each}`).join(", "),
  });
}

/**
 * Makes everything that a bundle has, or takes it from the cache: no Docker Engine, and for what the cache has no network. Nothing of it is
 * read from a state directory. The same project, deployment and packages give the same contents.
 * @throws BUNDLE_NOT_TAKEN, BUNDLE_IMAGE_UNMAKEABLE, BUNDLE_DOCUMENT_MISSING, BUNDLE_LOCK_FAILED, BUNDLE_CANCELLED, and what making images and the toolkit throws
 */
export async function gather(request: GatherRequest): Promise<BundleContents> {
  try {
    return await gathered(request);
  } catch (thrown) {
    // What is started for it says in many ways that it was ended.
    if (!request.signal.aborted || (thrown instanceof TrustKernError && thrown.exit === EXIT.cancelled)) throw thrown;
    throw bundleFormatErrors.error("BUNDLE_CANCELLED", "cancelled before anything was written");
  }
}

async function gathered(request: GatherRequest): Promise<BundleContents> {
  const { signal, deployment, deploymentFile, version, onProgress } = request;
  onProgress("making the images, or taking them from the cache");
  const images = await bundleImages(request, bundledNames(deployment), version);
  const lock = bundleLock(images.images);
  const stack = siteStack(deployment, lock, version);
  const providers = await providerLock(request, stack.text, request.temporaryDir);
  onProgress("making the toolkit");
  const toolkit = await prepareToolkit(request, version, deployment.name);
  signal.throwIfAborted();
  const inputs = new Map([
    ["deployment/trustkern.yaml", Buffer.from(deploymentFile)],
    [`deployment/${LOCK_FILE}`, Buffer.from(renderImageLock(lock))],
  ]);
  onProgress("listing what everything is made of");
  const files = [
    ...[...inputs].map(([path, content]) => fileOf(path, content)),
    ...stack.files,
    fileOf(`stack/${PROVIDER_LOCK}`, providers),
    ...documentFiles(request.projectDir),
    ...(await origins(request, images, toolkit, inputs)),
  ];
  return assemble({ deployment, version, images, files, toolkit });
}

/** What everything is made of, and from what it was made. */
async function origins(
  request: GatherRequest,
  { images }: BundleImages,
  toolkit: PreparedToolkit,
  inputs: ReadonlyMap<string, Uint8Array>,
): Promise<readonly BundleFile[]> {
  const { version, deployment, projectDir } = request;
  const parts = new Map<string, readonly Part[]>();
  for (const { name, layers } of images) {
    const contents = KNOWN_IMAGES[name]?.contents;
    request.signal.throwIfAborted();
    if (contents !== undefined) parts.set(name, await imageParts(request, contents, layers));
  }
  const ofToolkit = await toolkitParts(request, toolkit);
  const fetched = [...parts.values(), ofToolkit].flat().map(({ purl }) => purl);
  return [
    ...[...parts].map(([name, own]) =>
      fileOf(`sbom/${name}.cdx.json`, sbomOf({ type: "container", name: `trustkern/${name}`, version }, own)),
    ),
    fileOf("sbom/toolkit.cdx.json", sbomOf({ type: "application", name: "trustkern", version }, ofToolkit)),
    fileOf(
      "provenance.json",
      provenanceOf({
        ...{ projectDir, version, node: nodeVersion(projectDir), inputs },
        ...{ tenant: deployment.tenant, deployment: deployment.name, platform: toolkit.platform },
        fetched: fetched.filter((purl) => purl.startsWith("pkg:deb/")),
      }),
    ),
  ];
}
