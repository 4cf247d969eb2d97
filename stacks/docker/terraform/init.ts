import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import type { TerraformProgram } from "./program.ts";

/** The rendered stack's file, in the run's folder. */
export const STACK_FILE = "cdk.tf.json";
/** The file of provider hashes that `init` writes beside the stack. */
export const LOCK_FILE = ".terraform.lock.hcl";

const Stack = z.object({
  terraform: z.object({ required_providers: z.unknown(), backend: z.unknown() }).partial().default({}),
});

/**
 * What an `init` depends on, as one hash: the providers that the stack asks for, the place of its state, the mirror with
 * the size and time of each of its files, and the program. While it stays the same, `init` need not run again.
 */
export function initHash(workDir: string, mirror: string | undefined, program: TerraformProgram): string {
  const { required_providers, backend } = Stack.parse(
    JSON.parse(readFileSync(join(workDir, STACK_FILE), "utf8")),
  ).terraform;
  const input = { required_providers, backend, program, mirror: mirror === undefined ? null : listing(mirror) };
  return createHash("sha256").update(stableJson(input)).digest("hex");
}

/** Whether an `init` with that hash was done, and what it made is still there. */
export function isInitDone(stampFile: string, hash: string, dataDir: string, workDir: string): boolean {
  return (
    existsSync(stampFile) &&
    readFileSync(stampFile, "utf8") === hash &&
    existsSync(dataDir) &&
    existsSync(join(workDir, LOCK_FILE)) === existsSync(join(dataDir, "providers"))
  );
}

function listing(mirror: string): readonly unknown[] {
  return globSync("*/*/*/*/*/*", { cwd: mirror })
    .sort()
    .map((file) => {
      const { size, mtimeMs } = statSync(join(mirror, file));
      return { mirror, file, size, mtimeMs };
    });
}
