import { spawn } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { messageOf } from "../../../shared/errors.ts";
import { startTimeOf } from "../../../stacks/host/lock.ts";
import { siteErrors } from "./errors.ts";
import type { Toolkit } from "./toolkit.ts";
import { writingSite } from "./writing.ts";

/** Where a version's folder has the program that brings it up. */
const LAUNCHER = join("toolkit", "trustkern");
/** Where it has what is brought up. */
const DEPLOYMENT = join("deployment", "trustkern.yaml");

/** How programs of versions are started. */
export interface ChildWords {
  readonly env: NodeJS.ProcessEnv;
  /** File that says which process deploys: written before it does anything, and gone when it has ended. */
  readonly claimFile: string;
  /** Flags of every command, such as `--progress` with its value. */
  readonly flags: readonly string[];
  /** Options of `deploy`, such as `--start-key` with its value. */
  readonly deploy: readonly string[];
  /** Hears what `deploy` prints on its standard output; the rest goes where this process's own goes. */
  readonly onOutput: (text: string) => void;
}

/**
 * The toolkit in each version's own folder, as a process: an old toolkit could not know how a new version is brought up, nor a new one
 * how an old.
 */
export function childToolkit({ env, claimFile, flags, deploy, onOutput }: ChildWords): Toolkit {
  const run = (versionDir: string, stateDir: string, args: readonly string[], signal: AbortSignal, quiet: boolean) => {
    const program = join(versionDir, LAUNCHER);
    if (!existsSync(program))
      throw siteErrors.error("BUNDLE_DEPLOY_FAILED", `there is no toolkit "${program}"`, { path: program });
    const target = ["-f", join(versionDir, DEPLOYMENT), "--dir", stateDir];
    return ended(program, [...target, ...flags, ...args], {
      ...{ env, signal },
      ...(quiet ? { onOutput: undefined, claimFile: undefined } : { onOutput, claimFile }),
    });
  };
  return {
    deploy: async (versionDir, stateDir, signal) => {
      const code = await run(versionDir, stateDir, ["deploy", "--wait", ...deploy], signal, false);
      if (code === 0) return;
      if (signal.aborted) throw siteErrors.error("BUNDLE_SITE_CANCELLED", "cancelled while the version was deployed");
      throw siteErrors.error("BUNDLE_DEPLOY_FAILED", `its deploy ended with exit code ${code}; what it said is above`);
    },
    isWell: async (versionDir, stateDir, signal) =>
      existsSync(stateDir) && (await run(versionDir, stateDir, ["status", "--json"], signal, true)) === 0,
  };
}

interface Started {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Undefined for one that nobody listens to. */
  readonly onOutput: ((text: string) => void) | undefined;
  /** Undefined for one that changes nothing. */
  readonly claimFile: string | undefined;
}

/** Becomes the program once it is told to, and ends where who started it dies before that. */
const GATE = 'read -r go <&3 && [ "$go" = go ] && exec 3<&- && exec "$@"';

/** Its exit code; one that is asked to stop ends in its own time. */
function ended(
  program: string,
  args: readonly string[],
  { env, signal, onOutput, claimFile }: Started,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", GATE, "sh", program, ...args], {
      env,
      stdio: ["inherit", "pipe", onOutput === undefined ? "ignore" : "inherit", "pipe"],
    });
    const [, out, , gate] = child.stdio;
    // One that has ended already hears nothing.
    gate?.on("error", () => undefined);
    let claimed: string | undefined;
    child.once("spawn", () => {
      try {
        if (claimFile !== undefined) claim(claimFile, child.pid ?? 0);
        claimed = claimFile;
        (gate as Writable).end("go\n");
      } catch (thrown) {
        gate?.destroy();
        reject(thrown);
      }
    });
    const stop = (): void => void child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    (out as Readable).setEncoding("utf8").on("data", (text: string) => onOutput?.(text));
    child.once("error", (thrown) => {
      const message = `cannot start "${program}": ${messageOf(thrown)}`;
      reject(siteErrors.error("BUNDLE_DEPLOY_FAILED", message, { path: program, cause: thrown }));
    });
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (claimed !== undefined) rmSync(claimed, { force: true });
      resolve(code ?? 255);
    });
  });
}

/** In the form of a lock, so that whoever looks knows a number that was given away again. */
function claim(file: string, pid: number): void {
  writingSite(file, () => writeFileSync(file, `${pid} ${startTimeOf(pid)}\n`, { mode: 0o600 }));
}
