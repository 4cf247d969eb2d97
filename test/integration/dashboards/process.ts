import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A foreign program on a free loopback port, with a folder of its own. */
export class ForeignProcess {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-g-"));
  port = 0;
  #child: ChildProcess | undefined;
  #log = "";

  async start(program: string, args: (port: number) => readonly string[], readyPath: string): Promise<void> {
    this.port = await freePort();
    const child = spawn(program, args(this.port), { cwd: this.folder, stdio: ["ignore", "ignore", "pipe"] });
    const failed = once(child, "error").then(([cause]) => {
      throw new Error(`cannot run ${program}; on Debian: apt-get install ${program}`, { cause });
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#log += chunk;
    });
    this.#child = child;
    const answers = async (): Promise<void> => {
      while (!(await this.get(readyPath).catch(() => null))?.ok) {
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${this.#log}`);
        await delay(100);
      }
    };
    await Promise.race([answers(), failed]);
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
