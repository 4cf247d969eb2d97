import type { DockerOptions } from "../../../stacks/docker/life/options.ts";
import type { Rendered } from "../../../stacks/docker/life/render.ts";
import type { Marker } from "./message/marker.ts";

/** The deployment that a marked message is sent through. */
export interface DataSubject extends DockerOptions {
  readonly rendered: Rendered;
  /**
   * So many fresh random bytes.
   * @default the system's
   */
  readonly random?: ((bytes: number) => Buffer) | undefined;
  /**
   * Hears what was marked once it is stored, while packets are still captured and nothing is searched yet: for a test that leaks it.
   * @default nobody
   */
  readonly onSent?: ((markers: readonly Marker[]) => Promise<void>) | undefined;
}
