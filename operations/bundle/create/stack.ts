import { posix } from "node:path";
import type { Deployment } from "../../../model/deployment.ts";
import { buildModel } from "../../../modules/index.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { CONTAINER_USER } from "../../../stacks/docker/life/options.ts";
import { renderDocker } from "../../../stacks/docker/life/render.ts";
import { dockerPlacement } from "../../../stacks/docker/placement.ts";
import { STACK_FILE } from "../../../stacks/docker/terraform/init.ts";
import type { ImageLock } from "../../images/lock-file.ts";
import { pinsOf } from "../../images/pins.ts";
import { type BundleFile, fileOf } from "./source.ts";

/** Folder of a site when nobody names another one. */
export function defaultSite(deployment: string): string {
  return posix.join("/opt/trustkern", deployment);
}

/** A deployment as its site deploys it by default. */
export interface SiteStack {
  /** The Terraform JSON. */
  readonly text: string;
  /** It and every configuration file, below `stack/`. */
  readonly files: readonly BundleFile[];
}

/**
 * Renders a deployment for its site: there, and not here, are the paths that it names. A site with another folder renders its own, from
 * the same model.
 * @param lock of source `bundle`
 * @param version of what it does not name
 * @throws what `renderDocker` throws
 */
export function siteStack(deployment: Deployment, lock: ImageLock, version: string): SiteStack {
  const dir = posix.join(defaultSite(deployment.name), "state");
  const images = pinsOf(deployment, buildModel(deployment, dockerPlacement(deployment)), lock, version);
  const { stack, model } = renderDocker({ deployment, dir, temporaryDir: "/tmp", runAs: CONTAINER_USER, images });
  const text = `${stableJson(stack, 2)}\n`;
  const configured = model.components.flatMap(({ name, files }) =>
    files.map(({ path, content }) => fileOf(`stack/config/${name}/${belowConfig(path)}`, content)),
  );
  return { text, files: [fileOf(`stack/${STACK_FILE}`, text), ...configured] };
}

/** `/etc/trustkern/a/b` in a container is `a/b` of its component. */
function belowConfig(path: string): string {
  return path.split("/").slice(3).join("/");
}
