import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { migrate } from "../../../modules/timescaledb/migrate.ts";
import { callControl } from "../../../shared/control-client.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Role names of the test's database. */
export type TestRole = "trustkern" | "collector" | "reader";

/** What `GET /status` of the database answers. */
export interface DatabaseStatus {
  readonly ready: boolean;
  readonly port: number;
  readonly counters: { readonly clients: number; readonly jobsRun: number; readonly jobsFailed: number };
}

/** A real database process on a free port. */
export class DatabaseHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-d-"));
  readonly configFile = join(this.folder, "database.json");
  port = 0;
  #child: ChildProcess | undefined;
  readonly #clients: pg.Client[] = [];

  configure(changes: object = {}): void {
    const role = (name: TestRole, rights: string) => {
      writeFileSync(join(this.folder, name), passwordOf(name));
      return { name, passwordFile: join(this.folder, name), rights };
    };
    writeFileSync(
      this.configFile,
      JSON.stringify({
        name: "database",
        tenant: "acme",
        controlSocket: join(this.folder, "c.sock"),
        listen: { hosts: ["127.0.0.1"], port: 0 },
        dataDir: join(this.folder, "data"),
        jobsIntervalSeconds: 1,
        transactionIdleSeconds: 1,
        roles: [role("trustkern", "owner"), role("collector", "writer"), role("reader", "reader")],
        ...changes,
      }),
    );
  }

  /** Starts the process and waits until it takes clients. */
  async start(): Promise<void> {
    this.#child = this.spawn();
    for (;;) {
      const status = await this.status().catch(() => null);
      if (status?.ready) {
        this.port = status.port;
        return;
      }
      if (this.#child.exitCode !== null) throw new Error(`the database ended with ${this.#child.exitCode}`);
      await delay(50);
    }
  }

  /** A process of its own, for starts that fail. */
  spawn(): ChildProcess {
    return spawn(process.execPath, [join(ROOT, "services/database/main.ts"), "--config", this.configFile], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  /** Exit code and error of a start that fails. */
  async failedStart(): Promise<{ readonly exit: number; readonly code: string }> {
    const child = this.spawn();
    let text = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    const [exit] = await once(child, "close");
    return { exit: exit as number, code: JSON.parse(text).error.code };
  }

  status(): Promise<DatabaseStatus> {
    return callControl(join(this.folder, "c.sock"), "GET", "/status") as Promise<DatabaseStatus>;
  }

  migrate(): Promise<readonly string[]> {
    return migrate(this.target("trustkern"));
  }

  target(user: TestRole) {
    return { host: "127.0.0.1", port: this.port, database: "trustkern", user, password: passwordOf(user) };
  }

  async connect(user: TestRole, options: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new pg.Client({ ...this.target(user), ...options });
    client.on("error", () => undefined);
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return null;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, "exit");
    }
    return child.exitCode;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => undefined)));
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The password of a test role. */
export function passwordOf(role: TestRole): string {
  return `${role} and some more letters`;
}
