import { join } from "node:path";
import type { Model } from "../../../model/boundary.ts";
import { hostSocketName } from "../../docker/mounts.ts";
import { type Layout, layoutOf } from "../../host/layout.ts";
import type { ClusterOptions } from "./options.ts";

/**
 * Where on this machine the deployment's secrets are, and the sockets that lead into its pods. These are a process's own: another one
 * that looks at the same deployment has others.
 * @throws SOCKET_PATH_TOO_LONG
 */
export function clusterLayout(
  { dir, temporaryDir, pid }: Pick<ClusterOptions, "dir" | "temporaryDir" | "pid">,
  model: Model,
): Layout {
  const names = model.components.flatMap(({ name, sockets }) =>
    sockets.map((socket) => join(String(pid), hostSocketName(name, socket.name))),
  );
  const layout = layoutOf(dir, temporaryDir, Math.max(0, ...names.map((path) => Buffer.byteLength(path))));
  return { ...layout, runDir: join(layout.runDir, String(pid)) };
}
