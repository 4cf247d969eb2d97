import { deployedWith } from "../operations/evidence/facts/terraform.ts";
import type { DockerOptions } from "../stacks/docker/life/options.ts";
import { findProgram } from "../stacks/docker/terraform/program.ts";
import { dockerOutput } from "../stacks/host/docker-cli.ts";
import { type KeysOverview, keysOverview } from "../stacks/host/generations/overview.ts";
import { openGenerations } from "../stacks/host/generations/site.ts";
import type { Layout } from "../stacks/host/layout.ts";
import type { CommandContext } from "./command.ts";
import { generationsSite } from "./commands/keys-context.ts";

/** Questions to what may be away: each throws what says so. */
export interface Asking {
  /** Version of the program that deployed it, or would; nothing is built for the sake of its version. */
  readonly terraform: () => Promise<string>;
  /** Version of the Docker Engine. */
  readonly dockerEngine: () => Promise<string>;
  readonly keys: () => Promise<KeysOverview>;
}

/** What signed files ask of a deployment besides its own files. */
export function asking(context: CommandContext, target: DockerOptions, layout: Layout): Asking {
  const { env, signal, docker } = target;
  return {
    terraform: async () => {
      const program = { env, signal, binary: env.TRUSTKERN_TERRAFORM };
      return deployedWith(layout) ?? (await findProgram(program)).version;
    },
    dockerEngine: async () => (await dockerOutput(docker, ["version", "--format", "{{.Server.Version}}"])).trim(),
    keys: async () => {
      const generations = await generationsSite(context);
      using open = openGenerations(generations);
      return await keysOverview(open, generations.layout);
    },
  };
}
