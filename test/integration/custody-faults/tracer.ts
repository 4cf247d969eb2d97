import { spawn } from "node:child_process";
import { once } from "node:events";

/** What a traced process suffers. */
export interface Injection {
  readonly pid: number;
  /** Files whose system calls it is about. */
  readonly files: readonly string[];
  /** As in strace's `inject=`, such as `pwrite64:error=EIO`. */
  readonly faults: readonly string[];
  /** Program and arguments that run strace where the files are. */
  readonly under: readonly string[];
}

/** Makes system calls of a running process fail, wait or kill it, until the function that it gives is called. */
export async function inject({ pid, files, faults, under }: Injection): Promise<() => Promise<void>> {
  const [program = "", ...args] = [
    ...under,
    ...["strace", "-f", "-p", `${pid}`, "-o", "/dev/null", "-e", "trace=pwrite64,ftruncate"],
    ...files.flatMap((file) => ["-P", file]),
    ...faults.flatMap((fault) => ["-e", `inject=${fault}`]),
  ];
  const tracer = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(tracer, "exit");
  let said = "";
  await new Promise<void>((resolve, reject) => {
    tracer.stderr.on("data", (chunk: Buffer) => {
      said += chunk;
      if (said.includes("attached")) resolve();
    });
    tracer.once("exit", () => reject(new Error(`strace ended: ${said}`)));
  });
  return async () => {
    tracer.kill("SIGINT");
    await ended;
  };
}
