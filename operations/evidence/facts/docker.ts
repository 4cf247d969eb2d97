import { stableJson } from "../../../shared/stable-json.ts";
import { digestOf } from "../digest.ts";
import type { DockerFacts } from "../schema/facts-schema.ts";
import { asked } from "./asked.ts";
import type { EngineFacts } from "./gather.ts";

/** What the docker engine is asked. */
export interface DockerQuestions {
  /** The Terraform JSON. */
  readonly stack: unknown;
  readonly terraform: () => Promise<string>;
  readonly dockerEngine: () => Promise<string>;
}

/** The facts of a deployment in containers of one host. */
export function dockerFacts({ stack, terraform, dockerEngine }: DockerQuestions): EngineFacts {
  return async (common) => {
    const unknown: DockerFacts["unknown"] = [];
    const versions = {
      ...common.versions,
      terraform: (await asked(unknown, "terraform", terraform)) ?? null,
      dockerEngine: (await asked(unknown, "docker", dockerEngine)) ?? null,
    };
    return {
      ...common,
      versions,
      stack: digestOf(`${stableJson(stack, 2)}\n`),
      unknown: [...unknown, ...common.unknown],
    };
  };
}
