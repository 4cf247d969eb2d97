import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { RunAs } from "../../stacks/docker/containers.ts";
import type { TerraformProgram } from "../../stacks/docker/terraform/program.ts";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import type { Preflight } from "../../stacks/kubernetes/life/preflight.ts";
import type { Machine } from "./machine.ts";

/** A deployment that has a file, with its model. */
export interface DoctorDeployment {
  readonly deployment: Deployment;
  readonly model: Model;
}

/** What the doctor is handed. */
export interface DoctorSubject {
  readonly machine: Machine;
  readonly docker: DockerCli;
  /** Undefined where there is no `trustkern.yaml`: then what belongs to a deployment is not checked, and the report says so. */
  readonly deployed: DoctorDeployment | undefined;
  /** The state directory, absolute; it need not be there. */
  readonly stateDir: string;
  /** Where `images.lock.yaml` is, or would be. */
  readonly lockFile: string;
  /** The `node_modules` folders that this program's imports are searched in, nearest first; none where it has them in itself. */
  readonly modulePaths: readonly string[] | undefined;
  /** Who would run the containers. */
  readonly runAs: RunAs;
  /** Throws why there is none. */
  readonly findTerraform: () => Promise<TerraformProgram>;
  /** Renders the deployment and looks at its cluster, with the engine kubernetes; throws what is wrong there. */
  readonly lookAtCluster: () => Promise<Preflight>;
  readonly now: () => Date;
}

/** Who the findings are for, as far as it makes them worse. */
export interface Needs {
  /** Whether a deployment on the docker engine is there, which needs docker and OpenTofu or Terraform. */
  readonly docker: boolean;
  /** Whether programs that are missing are built at the first deploy. */
  readonly builds: boolean;
  /** Whether the profile makes promises: any but `dev`. */
  readonly promises: boolean;
}

/** What a subject's deployment needs. */
export function needsOf(deployed: DoctorDeployment | undefined): Needs {
  return {
    docker: deployed?.deployment.engine === "docker",
    builds: deployed !== undefined && deployed.deployment.images.source !== "registry",
    promises: deployed !== undefined && deployed.deployment.profile !== "dev",
  };
}
