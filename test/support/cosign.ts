import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";
import { PROJECT } from "./deployment.ts";
import { runProgram } from "./run.ts";

/** It is compiled at the first run on a machine. */
const COLD_MS = 900_000;
/** The old format, which names the image, and no service outside. */
const SIGN = ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false", "--yes"];

/** Somebody who signs images with cosign and a key of his own. */
export class Cosign {
  readonly #folder = mkdtempSync(join(tmpdir(), "tk-cosign-"));
  #program = "";

  /** The public key, PEM. */
  readonly publicKey: string = join(this.#folder, "cosign.pub");

  /** Finds cosign, or builds it, and makes a key of P-256. */
  async start(): Promise<void> {
    this.#program = await ensureTool(
      {
        cacheDir: defaultCacheDir(process.env, homedir()),
        toolsDir: join(PROJECT, "tools"),
        env: process.env,
        signal: AbortSignal.timeout(COLD_MS),
        onProgress: () => undefined,
      },
      "cosign",
    );
    await this.run("generate-key-pair");
  }

  /** Signs images, each as `host/repository@sha256:…`, beside themselves in their registries. */
  async sign(...images: readonly string[]): Promise<void> {
    await this.run("sign", "--key", "cosign.key", ...SIGN, ...images);
  }

  /** Runs the program in a folder of its own, and fails with what it says. */
  async run(...args: readonly string[]): Promise<void> {
    const env = { HOME: this.#folder, COSIGN_PASSWORD: "" };
    const { code, stderr } = await runProgram(this.#program, args, { cwd: this.#folder, env });
    if (code !== 0) throw new Error(`cosign ${args[0]} ended with ${code}: ${stderr}`);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
