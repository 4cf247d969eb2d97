import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { catalogue, EXIT, messageOf } from "../../shared/errors.ts";

/** Error codes of the docker client. */
export const dockerErrors = catalogue({
  DOCKER_MISSING: {
    exit: EXIT.resource,
    summary: "The docker client is not on this machine.",
    fix: "install Docker Engine with its client (Debian: apt-get install docker.io), or put docker in PATH",
  },
  DOCKER_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "The Docker Engine does not answer.",
    fix: "start it (systemctl start docker, or dockerd), check DOCKER_HOST and that this user may use it, then run `trustkern doctor`",
  },
  DOCKER_FAILED: {
    exit: EXIT.resource,
    summary: "The Docker Engine refused a command.",
    fix: "read its answer above; `trustkern doctor` looks for usual reasons",
  },
});

/** What a docker command is given beside its arguments. */
export interface DockerCall {
  /** Bytes for its standard input. @default none */
  readonly input?: Readable | Uint8Array;
  readonly signal?: AbortSignal;
  /** Longest time in milliseconds. @default 60000 */
  readonly timeoutMs?: number;
  /** Hears what it writes to its standard error while it runs. @default nobody */
  readonly onStderr?: (text: string) => void;
}

/** What a docker command printed. */
export interface DockerAnswer {
  readonly stdout: string;
  /** The same, where it need not be text. */
  readonly bytes?: Buffer;
  readonly stderr: string;
  /** The same, where it need not be text. */
  readonly errorBytes?: Buffer;
  readonly code: number;
}

/**
 * Runs the docker client with arguments, without a shell; an exit code other than 0 is an answer.
 * @throws DOCKER_MISSING, DOCKER_UNREACHABLE, DOCKER_FAILED when it takes too long
 */
export type DockerCli = (args: readonly string[], call?: DockerCall) => Promise<DockerAnswer>;

/** The docker client found in `env.PATH`; DOCKER_HOST and contexts are its own business. */
export function createDockerCli(env: Readonly<Record<string, string | undefined>>): DockerCli {
  return (args, { input, signal, timeoutMs = 60_000, onStderr } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn("docker", [...args], { env, stdio: ["pipe", "pipe", "pipe"] });
      const limit = AbortSignal.timeout(timeoutMs);
      const stop = (): void => void child.kill("SIGTERM");
      const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
      either.addEventListener("abort", stop, { once: true });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => {
        stderr.push(chunk);
        onStderr?.(chunk.toString("utf8"));
      });
      // A client that ends early closes its input; its exit code says why.
      child.stdin.on("error", () => undefined);
      if (input === undefined || input instanceof Uint8Array) child.stdin.end(input);
      else input.pipe(child.stdin);
      child.on("error", (thrown: NodeJS.ErrnoException) =>
        reject(
          thrown.code === "ENOENT"
            ? dockerErrors.error("DOCKER_MISSING", "there is no docker client in PATH")
            : dockerErrors.error("DOCKER_FAILED", messageOf(thrown), { cause: thrown }),
        ),
      );
      child.on("close", (code) => {
        either.removeEventListener("abort", stop);
        const [bytes, errorBytes] = [Buffer.concat(stdout), Buffer.concat(stderr)];
        const texts = { stdout: bytes.toString("utf8"), stderr: errorBytes.toString("utf8") };
        const answer = { ...texts, bytes, errorBytes, code: code ?? -1 };
        const what = `docker ${args[0] ?? ""}`;
        if (limit.aborted)
          reject(dockerErrors.error("DOCKER_FAILED", `${what} did not end within ${timeoutMs / 1000} s`));
        else if (answer.code !== 0 && UNREACHABLE.test(answer.stderr))
          reject(dockerErrors.error("DOCKER_UNREACHABLE", `${what}: ${answer.stderr.trim().split("\n")[0]}`));
        else resolve(answer);
      });
    });
}

/**
 * What a docker command that must succeed printed.
 * @throws DOCKER_FAILED with what the client said, and what {@link DockerCli} throws
 */
export async function dockerOutput(docker: DockerCli, args: readonly string[], call?: DockerCall): Promise<string> {
  const { stdout, stderr, code } = await docker(args, call);
  if (code === 0) return stdout;
  throw dockerErrors.error("DOCKER_FAILED", `docker ${args.slice(0, 2).join(" ")}: ${stderr.trim().slice(-500)}`);
}

const UNREACHABLE =
  /cannot connect to the docker daemon|error during connect|permission denied while trying to connect|dial unix/i;
