import type { DockerOptions } from "../../../stacks/docker/life/options.ts";
import type { Rendered } from "../../../stacks/docker/life/render.ts";
import type { Machine } from "../../doctor/machine.ts";

/** The deployment whose containers are looked at. */
export interface RunningSubject extends DockerOptions {
  readonly rendered: Rendered;
  /** This machine, which has the disks. */
  readonly machine: Machine;
}
