import { randomBytes } from "node:crypto";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import type { RunAs } from "../../../stacks/docker/containers.ts";
import { CONTAINER_USER } from "../../../stacks/docker/life/options.ts";
import { type DockerAnswer, type DockerCli, dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { goesOn, startTimeOf } from "../../../stacks/host/lock.ts";
import { probeErrors } from "./errors.ts";

/** Label of every helper; its value says which process of this host made it: its number and its start. */
const LABEL = "trustkern.probe";

/** A program that is to run beside a container, for a few seconds. */
export interface ProbeRequest {
  /** Whose network namespace it is in: a container's, or the host's own. */
  readonly container: string | "host";
  /** Path of the program in the image. */
  readonly program: string;
  readonly args: readonly string[];
  /** Bytes for its standard input. @default none */
  readonly stdin?: Uint8Array;
  /** With one of them it is root in its container, with that right and SETGID; tcpdump is told `-Z root`. @default none */
  readonly capabilities?: readonly "NET_RAW"[];
  /** Files and folders of the host, read-only. @default none */
  readonly mounts?: readonly { readonly source: string; readonly target: string }[];
  /** Who it is without capabilities: the owner of what is mounted. @default {@link CONTAINER_USER} */
  readonly user?: RunAs;
  /** Longest time, from its creation to its end. */
  readonly timeoutMs: number;
  /** Hears what it writes to its standard error while it runs. @default nobody */
  readonly onStderr?: (text: string) => void;
  /** Ends it with SIGTERM; what it wrote by then is its answer. @default none */
  readonly signal?: AbortSignal;
}

/** What a helper printed, and how it ended. */
export interface ProbeEnd {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program of the image in the network namespace of a container, without a right, a file or a log of its own, and removes
 * it afterwards.
 * @param image reference or id of the image
 * @throws PROBE_FAILED when it cannot be started or takes too long, DOCKER_UNREACHABLE, DOCKER_MISSING
 */
export async function runProbe(docker: DockerCli, image: string, request: ProbeRequest): Promise<ProbeEnd> {
  const name = `tk-probe-${randomBytes(6).toString("hex")}`;
  const { stdin, signal, onStderr, timeoutMs, container } = request;
  if (signal?.aborted === true)
    throw probeErrors.error("PROBE_FAILED", `beside ${container}: cancelled`, { path: container });
  let answer: DockerAnswer | undefined;
  try {
    answer = await docker(runArguments(name, image, request), {
      ...(stdin === undefined ? {} : { input: stdin }),
      ...(signal === undefined ? {} : { signal }),
      ...(onStderr === undefined ? {} : { onStderr }),
      timeoutMs,
    });
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "DOCKER_FAILED") throw thrown;
    throw probeErrors.error("PROBE_FAILED", `beside ${container}: ${messageOf(thrown)}`, { path: container });
  } finally {
    // A client that is stopped leaves its container behind.
    if (answer?.code !== 0) await docker(["rm", "--force", name]).catch(() => undefined);
  }
  if (NOT_STARTED.includes(answer.code)) {
    const why = answer.stderr.trim().split("\n")[0] ?? "";
    throw probeErrors.error("PROBE_FAILED", `beside ${container}: ${why}`, { path: container });
  }
  return { code: answer.code, stdout: answer.bytes ?? Buffer.from(answer.stdout), stderr: answer.stderr };
}

/**
 * Removes the helpers of runs that were killed; those of another one that goes on are left to it.
 * @throws what {@link DockerCli} throws
 */
export async function sweepProbes(docker: DockerCli): Promise<void> {
  const format = `{{.ID}} {{.Label "${LABEL}"}}`;
  const listed = await dockerOutput(docker, [
    "ps",
    "--all",
    "--no-trunc",
    "--filter",
    `label=${LABEL}`,
    "--format",
    format,
  ]);
  const left = listed.split("\n").flatMap((line) => {
    const [id = "", pid = "", since = ""] = line.trim().split(/[ -]/);
    return id === "" || goesOn(pid, since) ? [] : [id];
  });
  if (left.length > 0) await docker(["rm", "--force", ...left]);
}

/** Exit codes of `docker run` where the container or its program did not start. */
const NOT_STARTED: readonly number[] = [125, 126, 127];

function runArguments(name: string, image: string, request: ProbeRequest): readonly string[] {
  const { container, program, args, capabilities = [], mounts = [], user = CONTAINER_USER } = request;
  const asRoot = capabilities.length > 0;
  const { uid, gid } = asRoot ? { uid: 0, gid: 0 } : user;
  // tcpdump sets its groups, also to those that it has.
  const added = asRoot ? [...capabilities, "SETGID"] : [];
  return [
    ...[
      "run",
      "--rm",
      "--interactive",
      "--pull",
      "never",
      "--name",
      name,
      "--label",
      `${LABEL}=${process.pid}-${startTimeOf(process.pid)}`,
    ],
    ...["--network", container === "host" ? "host" : `container:${container}`],
    ...["--cap-drop", "ALL", ...added.flatMap((capability) => ["--cap-add", capability])],
    ...["--security-opt", "no-new-privileges", "--read-only", "--user", `${uid}:${gid}`],
    ...["--pids-limit", "64", "--memory", "256m", "--memory-swap", "256m"],
    // What it sees of a network must not be on a disk.
    ...["--log-driver", "none"],
    ...mounts.flatMap(({ source, target }) => ["--mount", `type=bind,"source=${source}","target=${target}",readonly`]),
    ...["--entrypoint", program, image, ...args],
  ];
}
