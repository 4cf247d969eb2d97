import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultDeployment } from "../profiles/resolve.ts";
import { planEmbedded } from "../stacks/embedded/plan.ts";
import { layoutOf } from "../stacks/host/layout.ts";
import { prepareSecrets } from "../stacks/host/secrets.ts";
import { writeState } from "../stacks/host/state.ts";
import { type Outcome, runCli } from "./test-io.ts";

/** A folder in which a ceremony is held by command, for tests. */
export class TestCeremony {
  readonly cwd = mkdtempSync(join(tmpdir(), "tk-certs-cli-"));
  readonly dir = join(this.cwd, "state");
  /** Random, so that nothing is stretched. */
  readonly passphrase = randomBytes(32).toString("hex");
  readonly argv: readonly string[] = [
    ...["certs", "init", "--root-key", "safe.age", "--passphrase-file", "words"],
    ...["--makers", "acme-instruments"],
  ];

  constructor() {
    writeFileSync(this.file("words"), `${this.passphrase}\n`);
  }

  file(name: string): string {
    return join(this.cwd, name);
  }

  run(...argv: readonly string[]): Promise<Outcome> {
    return runCli([...argv, "--dir", this.dir], { cwd: this.cwd, env: { USER: "Ada" } });
  }

  async json(...argv: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const { exit, stdout } = await this.run(...argv, "--json");
    return { ...(JSON.parse(stdout) as object), exit };
  }

  /** What `up` does before it starts anything. */
  async deploy(): Promise<void> {
    const deployment = defaultDeployment();
    const { tenant, pki } = deployment;
    const layout = layoutOf(this.dir, tmpdir());
    const { model, placement, ports } = await planEmbedded(deployment, layout, {});
    const { secretFile } = placement;
    const clock = () => new Date(0);
    const rest = { existing: existsSync(layout.stateFile), fixture: undefined, onEvent: () => undefined };
    await prepareSecrets({ layout, model, secretFile, tenant, namespace: undefined, pki, clock, ...rest });
    const createdAt = clock().toISOString();
    writeState(layout.stateFile, { schema: "trustkern.embedded-state/1", tenant, createdAt, ports, volumes: [] });
  }

  remove(): void {
    rmSync(this.cwd, { recursive: true });
  }
}
