import type { Model } from "../../../model/boundary.ts";
import { hostSocketName } from "../../docker/mounts.ts";
import { type Layout, layoutOf } from "../../host/layout.ts";
import type { ClusterOptions } from "./options.ts";

/** Where on this machine the deployment's secrets are, and the sockets that lead into its pods. */
export function clusterLayout(
  { dir, temporaryDir }: Pick<ClusterOptions, "dir" | "temporaryDir">,
  model: Model,
): Layout {
  const names = model.components.flatMap(({ name, sockets }) =>
    sockets.map((socket) => hostSocketName(name, socket.name)),
  );
  return layoutOf(dir, temporaryDir, Math.max(0, ...names.map((path) => Buffer.byteLength(path))));
}
