import { deployedWith } from "../operations/evidence/facts/terraform.ts";
import type { DockerOptions } from "../stacks/docker/life/options.ts";
import { findProgram } from "../stacks/docker/terraform/program.ts";
import { dockerOutput } from "../stacks/host/docker-cli.ts";
import type { KeysOverview } from "../stacks/host/generations/overview.ts";
import type { Layout } from "../stacks/host/layout.ts";
import type { ClusterApi } from "../stacks/kubernetes/life/api.ts";
import { clusterVersion } from "../stacks/kubernetes/life/version.ts";
import type { CommandContext } from "./command.ts";
import { knownKeys } from "./commands/keys-context.ts";

/** Questions to what may be away: each throws what says so. */
interface Asking {
  readonly keys: () => Promise<KeysOverview>;
}

/** Those to a deployment in containers of this host. */
export interface DockerAsking extends Asking {
  /** Version of the program that deployed it, or would; nothing is built for the sake of its version. */
  readonly terraform: () => Promise<string>;
  /** Version of the Docker Engine. */
  readonly dockerEngine: () => Promise<string>;
}

/** Those to a deployment in a cluster. */
export interface ClusterAsking extends Asking {
  /** Version of the API server. */
  readonly kubernetes: () => Promise<string>;
}

/** What signed files ask of a deployment on this host besides its own files. */
export function askingDocker(context: CommandContext, target: DockerOptions, layout: Layout): DockerAsking {
  const { env, signal, docker } = target;
  return {
    terraform: async () => {
      const program = { env, signal, binary: env.TRUSTKERN_TERRAFORM };
      return deployedWith(layout) ?? (await findProgram(program)).version;
    },
    dockerEngine: async () => (await dockerOutput(docker, ["version", "--format", "{{.Server.Version}}"])).trim(),
    keys: () => knownKeys(context),
  };
}

/** What they ask of one in a cluster. */
export function askingCluster(context: CommandContext, api: ClusterApi): ClusterAsking {
  return { kubernetes: async () => (await clusterVersion(api)).gitVersion, keys: () => knownKeys(context) };
}
