import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, type ExitCode, TrustKernError } from "../../shared/errors.ts";
import { hostErrors } from "../host/errors.ts";

/** One process of the deployment. */
export interface ProcessSpec {
  readonly name: string;
  /** Arguments of the Node runtime: permission flags, program, its own arguments. */
  readonly args: readonly string[];
  /** Its stdout: NDJSON, appended. */
  readonly logFile: string;
}

/**
 * A process cannot give up core dumps from within Node, so a shell does it and then becomes the process: same number, same
 * channels. The hard limit goes to 0 too, so that nothing can raise it again.
 */
const SHELL = "/bin/sh";
const NO_CORE = 'ulimit -c 0 && exec "$@"';

/** How long a process may take to end after SIGTERM, before SIGKILL. */
const STOP_MS = 5_000;

/** Restart delays: doubled from the first to the last, and back to the first after a quiet minute. */
const BACKOFF_MS = { first: 100, last: 5_000, quiet: 60_000 } as const;

/** A log larger than this at a start is put aside as `.1`. */
const LOG_MAX_BYTES = 16 * 1024 * 1024;

/** How much of a process's stderr is kept to say why it ended. */
const STDERR_TAIL_BYTES = 8_192;

/** Exit codes that trying again does not mend. */
const FINAL: ReadonlySet<number> = new Set([EXIT.configuration, EXIT.authentication, EXIT.resource]);

/** Keeps processes running. */
export interface Supervisor {
  /** Starts a process and keeps it running until {@link Supervisor.stop}. */
  start(spec: ProcessSpec): void;
  /** Its process number while it runs. */
  pid(name: string): number | undefined;
  /** How often it was started again. */
  restarts(name: string): number;
  /** From here on a process that ends is started again whatever it says; before, a start that its own error explains is final. */
  settle(): void;
  /** Why a process cannot be kept running, where that is so. */
  failure(): TrustKernError | undefined;
  /** Ends all of them, the last started first. */
  stop(): Promise<void>;
}

interface Kept {
  readonly spec: ProcessSpec;
  child: ChildProcess | undefined;
  restarts: number;
  delayMs: number;
  startedAt: number;
  stderr: string;
}

/** A supervisor whose processes run on the Node runtime `execPath` with the environment `env`, and nothing else of ours. */
export function createSupervisor(
  execPath: string,
  env: Readonly<Record<string, string>>,
  now: () => number,
): Supervisor {
  const kept = new Map<string, Kept>();
  const stopping = new AbortController();
  let failed: TrustKernError | undefined;
  let settled = false;

  const launch = (entry: Kept): void => {
    const log = openLog(entry.spec.logFile);
    // Detached: a Ctrl-C in the terminal reaches us alone, and we end them in order. The IPC channel tells them when we die.
    const child = spawn(SHELL, ["-c", NO_CORE, "sh", execPath, ...entry.spec.args], {
      env,
      detached: true,
      stdio: ["ignore", log, "pipe", "ipc"],
    });
    closeSync(log);
    entry.child = child;
    entry.startedAt = now();
    entry.stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      entry.stderr = (entry.stderr + chunk.toString("utf8")).slice(-STDERR_TAIL_BYTES);
    });
    child.once("error", (cause) => {
      failed ??= hostErrors.error("SERVICE_FAILED", `${entry.spec.name} cannot be started: ${cause.message}`, {
        path: entry.spec.name,
        cause,
      });
    });
    child.once("close", (code) => {
      entry.child = undefined;
      if (stopping.signal.aborted) return;
      if (!settled && FINAL.has(code ?? EXIT.bug)) failed ??= reasonOf(entry, code ?? EXIT.bug);
      else void restart(entry);
    });
  };

  const restart = async (entry: Kept): Promise<void> => {
    if (now() - entry.startedAt > BACKOFF_MS.quiet) entry.delayMs = BACKOFF_MS.first;
    try {
      await sleep(entry.delayMs, undefined, { signal: stopping.signal });
    } catch {
      return;
    }
    entry.delayMs = Math.min(entry.delayMs * 2, BACKOFF_MS.last);
    entry.restarts += 1;
    launch(entry);
  };

  return {
    start(spec) {
      const entry: Kept = {
        spec,
        child: undefined,
        restarts: 0,
        delayMs: BACKOFF_MS.first,
        startedAt: now(),
        stderr: "",
      };
      kept.set(spec.name, entry);
      launch(entry);
    },
    pid: (name) => kept.get(name)?.child?.pid,
    restarts: (name) => kept.get(name)?.restarts ?? 0,
    settle() {
      settled = true;
    },
    failure: () => failed,
    async stop() {
      stopping.abort();
      for (const { child } of [...kept.values()].reverse()) if (child !== undefined) await end(child);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.kill("SIGTERM");
  const late = new AbortController();
  await Promise.race([
    closed,
    sleep(STOP_MS, undefined, { signal: late.signal }).then(
      () => child.kill("SIGKILL"),
      () => undefined,
    ),
  ]);
  await closed;
  late.abort();
}

/** The error that the process printed as its last line, or what is known without one. */
function reasonOf(entry: Kept, code: number): TrustKernError {
  for (const line of entry.stderr.trim().split("\n").reverse()) {
    const said = parseErrorLine(line);
    if (said !== undefined) {
      return new TrustKernError(
        said.code,
        { exit: code as ExitCode, summary: said.code, fix: said.fix },
        `${entry.spec.name}: ${said.message}`,
        { path: said.path },
      );
    }
  }
  return hostErrors.error(
    "SERVICE_FAILED",
    `${entry.spec.name} ended with exit code ${code}: ${entry.stderr.trim().slice(-400) || "no word on stderr"}`,
    {
      path: entry.spec.logFile,
    },
  );
}

function parseErrorLine(line: string): { code: string; message: string; fix: string; path?: string } | undefined {
  try {
    const { error } = JSON.parse(line);
    return typeof error?.code === "string" && typeof error?.message === "string" && typeof error?.fix === "string"
      ? error
      : undefined;
  } catch {
    return undefined;
  }
}

function openLog(path: string): number {
  try {
    if (statSync(path).size > LOG_MAX_BYTES) renameSync(path, `${path}.1`);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
  }
  return openSync(path, "a", 0o600);
}
