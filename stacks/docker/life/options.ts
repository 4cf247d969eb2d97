import type { Deployment } from "../../../model/deployment.ts";
import type { DockerCli } from "../../host/docker-cli.ts";
import type { RunAs } from "../containers.ts";
import type { ImagePins } from "../images.ts";

/** What the life of a docker deployment is handed; it reads no environment and no clock of its own. */
export interface DockerOptions {
  readonly deployment: Deployment;
  /** State directory. */
  readonly dir: string;
  readonly temporaryDir: string;
  readonly images: ImagePins;
  /** The user who runs every container and owns every file that one mounts. */
  readonly runAs: RunAs;
  /** Whether files can be given to another user: the command line runs as root. */
  readonly mayChown: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: () => Date;
  readonly pid: number;
  readonly signal: AbortSignal;
  readonly docker: DockerCli;
  /** Folder with the provider, where it comes from no registry. */
  readonly providerMirror: (() => Promise<string>) | undefined;
  /** Finds or builds an OpenTofu where PATH has none. */
  readonly fallbackProgram: (() => Promise<string>) | undefined;
  /** Hears what happens, one short sentence at a time. */
  readonly onProgress: (what: string) => void;
}

/** User and group of containers where the command line runs as root. */
export const CONTAINER_USER: RunAs = { uid: 10_001, gid: 10_001 };

/** Who runs the containers: the caller, or where that is root somebody without any rights on the host. */
export function runAsOf(uid: number, gid: number): RunAs {
  return uid === 0 ? CONTAINER_USER : { uid, gid };
}
