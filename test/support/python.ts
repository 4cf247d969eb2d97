import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { cachedFolder } from "../../operations/tools/cached-folder.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { PROJECT } from "./deployment.ts";
import { runProgram } from "./run.ts";

/**
 * Python of a virtual environment in the cache that holds pinned packages, made where it is not there.
 * @param name of the environment, with a version
 * @param requirements file with a hash for each package
 */
export async function pythonWith(name: string, requirements: string): Promise<string> {
  const { stdout: version } = await runProgram("python3", ["-V"]);
  const hash = createHash("sha256").update(readFileSync(requirements)).update(version).digest("hex").slice(0, 12);
  const context = {
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal: AbortSignal.timeout(600_000),
    onProgress: (what: string) => process.stderr.write(`${what}\n`),
  };
  const folder = await cachedFolder(context, `${name}-${hash}`, async (place) => {
    await must("python3", ["-m", "venv", place]);
    const pinned = ["--require-hashes", "--only-binary", ":all:", "-r", requirements];
    await must(join(place, "bin/python"), [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      ...pinned,
    ]);
  });
  return join(folder, "bin/python");
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args, { timeoutSeconds: 300 });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`);
}
