import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { STATE_FILE } from "../../../stacks/docker/cdktf.ts";
import type { Layout } from "../../../stacks/host/layout.ts";

const stateSchema = z.object({ terraform_version: z.string() });

/** Version of the program that made the last deploy, by its local state; undefined where the state is elsewhere or says nothing. */
export function deployedWith({ terraformDir }: Pick<Layout, "terraformDir">): string | undefined {
  const file = join(terraformDir, STATE_FILE);
  if (!existsSync(file)) return undefined;
  try {
    return stateSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data?.terraform_version;
  } catch {
    return undefined;
  }
}
