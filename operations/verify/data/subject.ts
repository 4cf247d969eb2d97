import type { DockerOptions } from "../../../stacks/docker/life/options.ts";
import type { Rendered } from "../../../stacks/docker/life/render.ts";
import type { Traveller } from "./message/ways.ts";

/** The deployment that a marked message is sent through. */
export interface DataSubject extends DockerOptions, Pick<Traveller, "random" | "onSent"> {
  readonly rendered: Rendered;
}
