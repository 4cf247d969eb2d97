import { spawn } from "node:child_process";
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { terraformErrors } from "./errors.ts";

const POLL_MS = 50;
const GRACE_MS = 30_000;
const CHUNK_BYTES = 65_536;

/** One start of the program. */
export interface Run {
  readonly path: string;
  readonly args: readonly string[];
  /** Folder that it runs in, and that holds its output while it runs. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Interrupts it, once: it saves its state and ends. */
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  /**
   * How long an interrupted run may take to end before it is told again, which makes it end at once.
   * @default 30 s
   */
  readonly graceMs?: number;
}

/** How it ended. */
export interface RunEnd {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

let runs = 0;

/**
 * Runs the program to its end.
 *
 * Its output goes to files that are deleted while open, and not to pipes: a Go program dies of SIGPIPE at its first line
 * after its reader is gone, and then the container that it had just made is in no state file. This way a run whose
 * caller was killed goes on to its end. It has a process group of its own, so that a Ctrl-C at the terminal
 * reaches it once, through `signal`: a second interrupt makes it drop its state.
 * @throws DEPLOY_CANCELLED where `signal` is aborted already; TERRAFORM_MISSING where it cannot be started
 */
export async function runProgram(run: Run): Promise<RunEnd> {
  const { path, args, cwd, env, signal, onLine } = run;
  if (signal.aborted) throw terraformErrors.error("DEPLOY_CANCELLED", "interrupted before it was done");
  runs += 1;
  const out = openDeleted(join(cwd, `.out-${process.pid}-${runs}`));
  const err = openDeleted(join(cwd, `.err-${process.pid}-${runs}`));
  const lines = lineReader(out, onLine);
  const poll = setInterval(lines.read, POLL_MS);
  let insist: NodeJS.Timeout | undefined;
  const child = spawn(path, args, { cwd, env, detached: true, stdio: ["ignore", out, err] });
  const interrupt = (): void => {
    child.kill("SIGINT");
    insist = setTimeout(() => child.kill("SIGTERM"), run.graceMs ?? GRACE_MS);
  };
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? undefined));
    const exitCode = await promise;
    lines.end();
    let stderr = "";
    lineReader(err, (line) => {
      stderr += `${line}\n`;
    }).end();
    return { exitCode, stderr };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).syscall?.startsWith("spawn") !== true) throw thrown;
    throw terraformErrors.error("TERRAFORM_MISSING", `"${path}" cannot be started`, { cause: thrown });
  } finally {
    clearInterval(poll);
    clearTimeout(insist);
    signal.removeEventListener("abort", interrupt);
    closeSync(out);
    closeSync(err);
  }
}

function openDeleted(file: string): number {
  const descriptor = openSync(file, "wx+", 0o600);
  rmSync(file);
  return descriptor;
}

/** Reads a growing file line by line, at positions of its own: the writer shares the descriptor's. */
function lineReader(descriptor: number, onLine: (line: string) => void) {
  const decoder = new StringDecoder("utf8");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = 0;
  let rest = "";
  const read = (): void => {
    for (;;) {
      const length = readSync(descriptor, chunk, 0, chunk.length, position);
      if (length === 0) return;
      position += length;
      const lines = (rest + decoder.write(chunk.subarray(0, length))).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") onLine(line);
    }
  };
  const end = (): void => {
    read();
    if (rest !== "") onLine(rest);
    rest = "";
  };
  return { read, end };
}
