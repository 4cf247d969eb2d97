import { z } from "zod";
import { type DockerCli, dockerOutput } from "../../stacks/host/docker-cli.ts";

const versions = z.object({
  Client: z.object({ Version: z.string() }),
  Server: z.object({ Version: z.string() }),
});

const info = z.object({
  Driver: z.string(),
  DockerRootDir: z.string(),
  SystemTime: z.string(),
  MemoryLimit: z.boolean(),
  SwapLimit: z.boolean(),
  PidsLimit: z.boolean(),
  CpuCfsQuota: z.boolean(),
  SecurityOptions: z.array(z.string()).nullish(),
});

/** What the Docker Engine says of itself. */
export interface DockerUp {
  readonly state: "up";
  readonly client: string;
  readonly server: string;
  readonly storageDriver: string;
  /** Folder of images and containers, on the engine's machine. */
  readonly rootDir: string;
  /** What the kernel lets the engine limit. */
  readonly limits: {
    readonly memory: boolean;
    readonly swap: boolean;
    readonly processes: boolean;
    readonly processors: boolean;
  };
  readonly seccomp: boolean;
  /** The engine's clock, and this machine's before it was asked and after it answered; milliseconds since 1970. */
  readonly clock: { readonly before: number; readonly engine: number; readonly after: number };
}

/** The Docker Engine, or why it does not answer; `unneeded` where the deployment runs without it. */
export type DockerFacts =
  | DockerUp
  | { readonly state: "away"; readonly error: unknown }
  | { readonly state: "unneeded" };

/** Asks the Docker Engine. */
export async function gatherDocker(docker: DockerCli, now: () => Date): Promise<DockerFacts> {
  try {
    const version = versions.parse(JSON.parse(await dockerOutput(docker, ["version", "--format", "{{json .}}"])));
    const before = now().getTime();
    const said = info.parse(JSON.parse(await dockerOutput(docker, ["info", "--format", "{{json .}}"])));
    return {
      state: "up",
      client: version.Client.Version,
      server: version.Server.Version,
      storageDriver: said.Driver,
      rootDir: said.DockerRootDir,
      limits: {
        memory: said.MemoryLimit,
        swap: said.SwapLimit,
        processes: said.PidsLimit,
        processors: said.CpuCfsQuota,
      },
      seccomp: (said.SecurityOptions ?? []).some((option) => /^name=seccomp,profile=(?!unconfined)/.test(option)),
      clock: { before, engine: Date.parse(said.SystemTime), after: now().getTime() },
    };
  } catch (error) {
    return { state: "away", error };
  }
}
