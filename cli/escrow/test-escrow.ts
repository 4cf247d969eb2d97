import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { type Outcome, type Outside, runCli } from "../test-io.ts";

/** Holders of shares in tests; the last has no recipient. */
const HOLDERS = ["anna", "ben", "cleo", "dora"] as const;

/** A folder in which ceremonies of generations are held by command, for tests. */
export class TestEscrow {
  readonly cwd = mkdtempSync(join(tmpdir(), "tk-keys-cli-"));
  /** A custody's import key. */
  readonly importPair = generateKeyPairSync("x25519");
  readonly importKey = this.importPair.publicKey.export({ format: "raw-public" }).toString("hex");
  readonly recipients: Record<string, string> = {};

  /** Writes `trustkern.yaml` and an identity file for each holder. */
  async prepare(yaml = ""): Promise<void> {
    await runCli(["init", "--profile", "dev", "--tenant", "acme"], { cwd: this.cwd });
    if (yaml !== "") writeFileSync(this.file("trustkern.yaml"), `${this.read("trustkern.yaml")}\n${yaml}`);
    for (const name of HOLDERS) {
      const identity = await generateX25519Identity();
      this.recipients[name] = await identityToRecipient(identity);
      writeFileSync(this.file(`${name}.txt`), `# identity of ${name}\n${identity}\n`);
    }
  }

  /** `--holder` options of some holders. */
  holders(...names: readonly string[]): readonly string[] {
    return names.flatMap((name) => ["--holder", `${name}=${this.recipients[name]}`]);
  }

  /** Holds a ceremony with a threshold of 2 for three holders. Gives the arguments that name its escrow file and identities. */
  async hold(folder: string): Promise<readonly string[]> {
    const holders = this.holders("anna", "ben", "cleo");
    const argv = ["keys", "ceremony", "--import-key", this.importKey, "--threshold", "2", "--yes", ...holders];
    const { exit, stderr } = await this.run([...argv, "-o", folder]);
    if (exit !== 0) throw new Error(stderr);
    return ["--escrow", this.find(folder, /^escrow-/), "-i", "anna.txt,ben.txt", "-i", "cleo.txt"];
  }

  /** The files of a folder with the shares of these holders. */
  shares(folder: string, ...names: readonly string[]): readonly string[] {
    return names.map((name) => this.find(folder, new RegExp(`-${name}\\.age$`)));
  }

  file(name: string): string {
    return join(this.cwd, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  /** The file of a folder whose name matches. */
  find(folder: string, name: RegExp): string {
    const found = readdirSync(this.file(folder)).find((each) => name.test(each));
    if (found === undefined) throw new Error(`no ${name} in ${folder}`);
    return join(folder, found);
  }

  run(argv: readonly string[], outside: Outside = {}): Promise<Outcome> {
    return runCli(argv, { cwd: this.cwd, env: { USER: "Ada" }, ...outside });
  }

  async json(...argv: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const { exit, stdout } = await this.run([...argv, "--json"]);
    return { ...(JSON.parse(stdout) as object), exit };
  }

  remove(): void {
    rmSync(this.cwd, { recursive: true });
  }
}
