import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { hostErrors } from "../host/errors.ts";
import { layoutOf } from "../host/layout.ts";
import { readState } from "../host/state.ts";
import { embeddedPlacement } from "./placement.ts";

/**
 * Where the parts of a deployment are that another process has brought up.
 * @throws NOT_DEPLOYED when nothing was ever brought up there, STATE_CORRUPT
 */
export function attachEmbedded(deployment: Deployment, dir: string, temporaryDir: string): Placement {
  const layout = layoutOf(dir, temporaryDir);
  const state = readState(layout.stateFile, deployment.tenant, "embedded");
  if (state === undefined)
    throw hostErrors.error("NOT_DEPLOYED", `there is no deployment in "${layout.dir}"`, { path: layout.dir });
  return embeddedPlacement(layout, deployment.tenant, state.ports);
}
