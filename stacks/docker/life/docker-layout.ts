import type { Model } from "../../../model/boundary.ts";
import { buildModel } from "../../../modules/index.ts";
import { type Layout, layoutOf } from "../../host/layout.ts";
import { hostSocketName } from "../mounts.ts";
import { dockerPlacement } from "../placement.ts";
import type { DockerOptions } from "./options.ts";

/** The components of a deployment, and where on this host what they share is. */
export function dockerLayout({
  deployment,
  dir,
  temporaryDir,
}: Pick<DockerOptions, "deployment" | "dir" | "temporaryDir">): { readonly layout: Layout; readonly model: Model } {
  const model = buildModel(deployment, dockerPlacement(deployment));
  const sockets = model.components.flatMap(({ name, sockets: own }) =>
    own.map((socket) => hostSocketName(name, socket.name)),
  );
  return { model, layout: layoutOf(dir, temporaryDir, Math.max(...sockets.map((path) => path.length))) };
}
