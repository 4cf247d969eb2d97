import { readFileSync } from "node:fs";
import { startRegistry } from "../integration/images/registry.ts";
import { Cosign } from "./cosign.ts";
import { docker } from "./docker.ts";

const PUSH_MS = 120_000;

/** Whoever makes images, with a registry and a key that signs: what an example says is elsewhere, on this machine. */
export class Vendor {
  readonly signer = new Cosign();
  readonly #references: string[] = [];
  #registry: Awaited<ReturnType<typeof startRegistry>> | undefined;

  async start(): Promise<void> {
    this.#registry = await startRegistry();
    await this.signer.start();
  }

  /** Where its images are, as `images.mirror` names it. */
  get mirror(): string {
    return `${this.#registry?.host}/hub`;
  }

  /**
   * Pushes an image of this machine to the mirror.
   * @param as reference in the mirror
   * @returns `host/repository@sha256:…`
   */
  async push(local: string, as: string = local): Promise<string> {
    const reference = `${this.mirror}/${as}`;
    await this.#docker("image", "tag", local, reference);
    this.#references.push(reference);
    const said = await this.#docker("image", "push", reference);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(said)?.[1];
    return `${reference.slice(0, reference.lastIndexOf(":"))}@${digest}`;
  }

  /** The public key that signs, PEM. */
  publicKey(): string {
    return readFileSync(this.signer.publicKey, "utf8");
  }

  async stop(): Promise<void> {
    const pulled = await docker(["image", "ls", "--format", "{{.Repository}}@{{.Digest}}", "--digests"]);
    const ours = pulled.stdout
      .split("\n")
      .filter((name) => name.startsWith(`${this.mirror}/`) && name.includes("@sha"));
    await docker(["image", "rm", "--force", ...this.#references, ...ours]);
    await this.#registry?.stop();
    this.signer.remove();
  }

  async #docker(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await docker(args, { timeoutMs: PUSH_MS });
    if (code !== 0) throw new Error(`docker ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }
}
