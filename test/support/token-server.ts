import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { runAsOf } from "../../stacks/docker/life/options.ts";

/** `p11-kit server`, as docs/guides/docker.md has an operator run it, with its socket in a folder of its own. */
export class TokenServer {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-token-"));
  readonly socket = join(this.folder, "sock");
  readonly #module: string;
  #child: ChildProcess | undefined;

  /** @param module the library that drives the token */
  constructor(module: string) {
    this.#module = module;
    chmodSync(this.folder, 0o755);
  }

  /** Gives containers the token with this label, and no other. */
  async start(token: string): Promise<void> {
    const args = ["server", "--foreground", "--name", this.socket, "--provider", this.#module];
    this.#child = spawn("p11-kit", [...args, `pkcs11:token=${token}`], { stdio: "ignore" });
    for (let left = 100; !existsSync(this.socket); left -= 1) {
      if (left === 0) throw new Error("p11-kit server did not start");
      await pause(50);
    }
    const { uid, gid } = runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    chownSync(this.socket, uid, gid);
  }

  /** Ends it, and the process that it has for each who is connected, as when a unit is stopped. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const workers = childrenOf(child.pid);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
    for (const pid of workers) process.kill(pid, "SIGTERM");
    rmSync(this.socket, { force: true });
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
