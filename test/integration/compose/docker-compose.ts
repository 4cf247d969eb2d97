import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { ensureTool } from "../../../operations/tools/ensure-tool.ts";
import { PROJECT } from "../../support/deployment.ts";
import { type Ended, runProgram } from "../../support/run.ts";

/** It is compiled at the first run on a machine. */
const COLD_MS = 1_800_000;

/** Docker Compose, which reads files here and asks no Docker Engine. */
export class DockerCompose {
  #program = "";

  /** Finds it, or builds it. */
  async start(): Promise<void> {
    const context = {
      cacheDir: defaultCacheDir(process.env, homedir()),
      toolsDir: join(PROJECT, "tools"),
      env: process.env,
      signal: AbortSignal.timeout(COLD_MS),
      onProgress: () => undefined,
    };
    this.#program = await ensureTool(context, "docker-compose");
  }

  /** What it makes of a file, as `docker compose config` says it in YAML: its JSON leaves out limits that are 0. */
  config(file: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const nobody = { DOCKER_HOST: "unix:///nonexistent.sock", DOCKER_CONFIG: join(tmpdir(), "tk-no-docker-config") };
    const args = ["--file", file, "config"];
    return runProgram(this.#program, args, { env: { ...env, ...nobody } });
  }
}
