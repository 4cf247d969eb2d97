import { z } from "zod";
import { type DockerCli, dockerErrors } from "../../host/docker-cli.ts";

const binding = z.object({ HostIp: z.string(), HostPort: z.string() });

const containerSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  RestartCount: z.int(),
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    ExitCode: z.int(),
    Pid: z.int(),
    StartedAt: z.string(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
  Config: z.object({
    User: z.string(),
    Labels: z.record(z.string(), z.string()).nullable(),
  }),
  HostConfig: z.object({
    Privileged: z.boolean(),
    ReadonlyRootfs: z.boolean(),
    CapAdd: z.array(z.string()).nullish(),
    CapDrop: z.array(z.string()).nullish(),
    Devices: z.array(z.object({ PathOnHost: z.string(), CgroupPermissions: z.string() })).nullish(),
    Memory: z.number(),
    PidsLimit: z.number().nullish(),
    NanoCpus: z.number().nullish(),
    NetworkMode: z.string(),
    PortBindings: z.record(z.string(), z.array(binding).nullable()).nullish(),
  }),
  Mounts: z.array(z.object({ Type: z.string(), Source: z.string(), Destination: z.string(), RW: z.boolean() })),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
});

/** What the Docker Engine says of a container. */
export type Inspected = z.infer<typeof containerSchema>;

/**
 * What the engine says of each of these containers; one that is not there is missing from the map.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function inspectContainers(
  docker: DockerCli,
  names: readonly string[],
): Promise<ReadonlyMap<string, Inspected>> {
  const { stdout, stderr, code } = await docker(["container", "inspect", ...names]);
  const others = stderr.split("\n").filter((line) => line.trim() !== "" && !/No such container/i.test(line));
  if (code !== 0 && others.length > 0)
    throw dockerErrors.error("DOCKER_FAILED", `docker inspect: ${others.join("; ")}`);
  const found = z.array(containerSchema).parse(JSON.parse(stdout.trim() === "" ? "[]" : stdout));
  return new Map(found.map((container) => [container.Name.replace(/^\//, ""), container]));
}

/** The last lines that a container wrote, oldest first. */
export async function lastLogLines(docker: DockerCli, name: string, lines: number): Promise<readonly string[]> {
  const { stdout, stderr } = await docker(["logs", "--tail", String(lines), name]);
  return `${stdout}${stderr}`
    .split("\n")
    .filter((line) => line !== "")
    .slice(-lines);
}
