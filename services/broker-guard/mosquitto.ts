import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { guardErrors } from "./errors.ts";

/** Time for Mosquitto to start, to take a signal, and to end. */
const LIMIT_MS = 10_000;

/** How Mosquitto is started, and who hears of it. */
export interface MosquittoOptions {
  readonly command: readonly [program: string, ...args: string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Each line that it logs. */
  readonly onLine: (line: string) => void;
  /** Told its exit code, or 1 after a signal, when it ends and nobody asked for that. */
  readonly onDeath: (code: number) => void;
}

/** Mosquitto as a child of ours. One call at a time. */
export interface Mosquitto {
  readonly running: () => boolean;
  /** Resolves when it listens. @throws GUARD_MOSQUITTO_FAILED */
  readonly start: () => Promise<void>;
  /** Resolves when it has begun to read its files again, so that who connects from now on meets the new ones. @throws GUARD_MOSQUITTO_FAILED */
  readonly reload: () => Promise<void>;
  /** Resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

/** A Mosquitto that is not started yet. */
export function createMosquitto({ command, env, onLine, onDeath }: MosquittoOptions): Mosquitto {
  let child: ChildProcess | undefined;
  let wanted = false;
  const waiting = new Set<{ readonly text: string; readonly done: () => void }>();

  const said = (text: string, act: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const failed = (what: string): void => {
        finish();
        reject(guardErrors.error("GUARD_MOSQUITTO_FAILED", what, { path: command[0] }));
      };
      const gone = (code: number | null): void => failed(`Mosquitto ended with ${code ?? "a signal"}`);
      const timer = setTimeout(() => failed(`Mosquitto did not say "${text}" in ${LIMIT_MS} ms`), LIMIT_MS);
      const entry = {
        text,
        done: () => {
          finish();
          resolve();
        },
      };
      const finish = (): void => {
        clearTimeout(timer);
        waiting.delete(entry);
        child?.off("exit", gone);
      };
      waiting.add(entry);
      act();
      child?.once("exit", gone);
    });

  const launch = (): void => {
    const [program, ...args] = command;
    const started = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    // However this process ends, a Mosquitto without its guard does not stay.
    const follow = (): void => {
      started.kill("SIGTERM");
    };
    process.once("exit", follow);
    started.on("error", (error) => onLine(`cannot start ${program}: ${error.message}`));
    createInterface({ input: started.stderr }).on("line", (line) => {
      onLine(line);
      for (const { text, done } of waiting) if (line.includes(text)) done();
    });
    started.once("close", (code) => {
      process.off("exit", follow);
      if (child !== started) return;
      child = undefined;
      if (wanted) onDeath(code ?? 1);
    });
  };

  const stop = async (): Promise<void> => {
    wanted = false;
    const ending = child;
    if (ending === undefined) return;
    const gone = new Promise((resolve) => ending.once("close", resolve));
    ending.kill("SIGTERM");
    const timer = setTimeout(() => ending.kill("SIGKILL"), LIMIT_MS / 2);
    await gone;
    clearTimeout(timer);
  };

  return {
    running: () => wanted && child !== undefined,
    start: async () => {
      await said(" running", launch);
      wanted = child !== undefined;
    },
    reload: () => said("Reloading config", () => child?.kill("SIGHUP")),
    stop,
  };
}
