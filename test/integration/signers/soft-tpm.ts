import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Runs one of tpm2-tools, and gives what it says. */
export function tpmTool(name: string, args: readonly string[]): string {
  return execFileSync(name, args, { encoding: "utf8", stdio: "pipe" });
}

/** A TPM 2.0 of swtpm. */
export class SoftTpm {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-swtpm-"));
  readonly device: string;
  #child: ChildProcess | undefined;

  /** @param name of the socket in its folder, which has nothing else but `<name>.ctrl` */
  constructor(name = "tpm") {
    mkdirSync(join(this.folder, "own"));
    this.device = join(this.folder, "own", name);
  }

  async start(): Promise<void> {
    const state = join(this.folder, "state");
    mkdirSync(state, { recursive: true });
    const channel = (path: string) => `type=unixio,path=${path}`;
    this.#child = spawn(
      "swtpm",
      [
        ...["socket", "--tpm2", "--tpmstate", `dir=${state}`, "--flags", "not-need-init,startup-clear"],
        ...["--server", channel(this.device), "--ctrl", channel(`${this.device}.ctrl`)],
      ],
      { stdio: "ignore" },
    );
    for (let left = 100; !existsSync(`${this.device}.ctrl`); left -= 1) {
      if (left === 0) throw new Error("swtpm did not start");
      await pause(50);
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }

  /** Runs one of tpm2-tools on it, and gives what that says. */
  tool(name: string, args: readonly string[]): string {
    return tpmTool(name, ["-T", `swtpm:path=${this.device}`, ...args]);
  }

  /** Measures something into a register. */
  extend(register: number): void {
    this.tool("tpm2_pcrextend", [`${register}:sha256=${"ab".repeat(32)}`]);
  }

  /** A key of this TPM, in its folder. */
  key(name: string) {
    return { device: this.device, file: join(this.folder, `${name}.tss2.pem`) };
  }
}
