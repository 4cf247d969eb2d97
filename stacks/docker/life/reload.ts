import { readFileSync } from "node:fs";
import { type DockerCli, dockerOutput } from "../../host/docker-cli.ts";
import { type Inspected, inspectContainers } from "./inspect.ts";

/** Whether a process of this machine is a container's own. */
export type IsOwnProcess = (container: Pick<Inspected, "Id" | "State">) => boolean;

/** How {@link reloadContainers} reaches processes. */
export interface ReloadOptions {
  readonly docker: DockerCli;
  /** @default by its control group */
  readonly isOwn?: IsOwnProcess;
  /** @default that of this process */
  readonly kill?: (pid: number, signal: "SIGHUP") => void;
}

/**
 * Has running programs read their files again: SIGHUP to the main process of each. A signal that the engine sends counts as an
 * end that somebody asked for: such a container would not be started again after a failure. So it is sent past the engine, and
 * by the engine only where its processes are not this machine's or not for this user.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function reloadContainers(names: readonly string[], options: ReloadOptions): Promise<void> {
  const { docker, isOwn = inOwnGroup, kill = process.kill.bind(process) } = options;
  const found = await inspectContainers(docker, names);
  const running = [...found].filter(([, { State }]) => State.Running);
  const unreached = running.flatMap(([name, container]) => (signalled(container, isOwn, kill) ? [] : [name]));
  if (unreached.length > 0) await dockerOutput(docker, ["kill", "--signal", "HUP", ...unreached]);
}

function signalled(container: Inspected, isOwn: IsOwnProcess, kill: NonNullable<ReloadOptions["kill"]>): boolean {
  if (!isOwn(container)) return false;
  try {
    kill(container.State.Pid, "SIGHUP");
    return true;
  } catch {
    return false;
  }
}

/** The engine of a virtual machine counts other processes: those numbers are somebody else's here. */
function inOwnGroup({ Id, State }: Pick<Inspected, "Id" | "State">): boolean {
  try {
    return readFileSync(`/proc/${State.Pid}/cgroup`, "utf8").includes(Id);
  } catch {
    return false;
  }
}
