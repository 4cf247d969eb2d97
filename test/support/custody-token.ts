import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { socketAnswers } from "../../shared/socket-answers.ts";
import { CLI } from "./docker.ts";

/** `trustkern keys token-server` of a deployment, as its unit runs it. */
export class CustodyToken {
  readonly #command: readonly string[];
  readonly #socket: string;
  #child: ChildProcess | undefined;

  /** @param command the command line with the deployment file; that of this clone, where it is a file alone */
  constructor(command: string | readonly string[], socket: string) {
    this.#command = typeof command === "string" ? [process.execPath, ...CLI, "-f", command] : command;
    this.#socket = socket;
  }

  async start(): Promise<void> {
    const said: Buffer[] = [];
    const [program = "", ...args] = [...this.#command, "--progress", "plain", "keys", "token-server"];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
    this.#child = child;
    for (let left = 200; !(await socketAnswers(this.#socket)); left -= 1) {
      if (left === 0 || child.exitCode !== null) throw new Error(`no token server: ${Buffer.concat(said)}`);
      await pause(50);
    }
  }

  /** Its process. */
  pid(): number {
    return this.#child?.pid ?? 0;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
