import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Component } from "../../../model/component.ts";
import type { Placement } from "../../../model/placement.ts";
import { database } from "../../../modules/timescaledb/component.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { postgresTls } from "../../../shared/postgres-tls.ts";
import { passwordOf } from "../database/harness.ts";
import { type DatabaseTls, makeDatabaseTls, SERVER_NAME } from "../database/tls.ts";

/** Folder of a real server's programs. */
const PROGRAMS = globSync("/usr/lib/postgresql/*/bin/initdb").map((file) => join(file, ".."))[0];

/** Whether there is a real server to run. */
export const hasPostgres = PROGRAMS !== undefined;

/** A server refuses to run as root, and as a user without a name. */
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/**
 * A real Postgres with what `modules/timescaledb` renders for the upstream image, but for what stands in the image: its entry
 * point, which makes the cluster, and the extension.
 */
export class PostgresHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-p-"));
  component!: Component;
  tls!: DatabaseTls;
  port = 0;
  log = "";
  #child: ChildProcess | undefined;

  async start(): Promise<void> {
    const at = (file: string): string => join(this.folder, file);
    this.tls = await makeDatabaseTls(this.folder);
    this.port = await freePort();
    const placement: Placement = {
      endpoint: () => ({ host: "127.0.0.1", port: this.port, servername: SERVER_NAME }),
      secretFile: (_, secret) => at(secret),
      volumeDir: () => at("data"),
      configFile: (_, file) => at(file),
      socket: (_, socket) => at(socket),
      listenAddresses: () => ["127.0.0.1"],
    };
    const deployment = { ...defaultDeployment(), engine: "docker" } as const;
    const component = database({ ...deployment, images: { ...deployment.images, source: "registry" } }, placement);
    this.component = component;
    for (const { path, content, mode } of component.files) writeFileSync(path, content, { mode });
    writeFileSync(at("owner.password"), passwordOf("trustkern"), { mode: 0o600 });
    mkdirSync(at("data"), { mode: 0o700 });
    this.#own();
    const { PGDATA = "", POSTGRES_USER = "", POSTGRES_DB = "" } = component.environment ?? {};
    const [entry, , ...settings] = component.command ?? [];
    if (!entry?.endsWith("docker-entrypoint.sh")) throw new Error(`not the image's entry point: ${entry}`);
    const cluster = ["-D", PGDATA, "-U", POSTGRES_USER, `--pwfile=${at("owner.password")}`, "-A", "scram-sha-256"];
    this.#run("initdb", [...cluster, "--no-sync"]);
    const here = ["-c", "shared_preload_libraries=", "-c", `unix_socket_directories=${this.folder}`, "-c", "fsync=off"];
    const child = spawn(join(PROGRAMS ?? "", "postgres"), ["-D", PGDATA, ...settings, ...here], {
      stdio: ["ignore", "ignore", "pipe"],
      ...UNPRIVILEGED,
    });
    this.#child = child;
    child.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk;
      if (this.log.includes("ready to accept connections")) child.emit("ready");
    });
    await once(child, "ready");
    const admin = await this.connect("postgres", passwordOf("trustkern"), { database: "postgres" });
    await admin.query(`CREATE DATABASE ${POSTGRES_DB}`);
    await admin.end();
  }

  async connect(user: string, password: string, options: pg.ClientConfig = {}): Promise<pg.Client> {
    const target = { host: "127.0.0.1", port: this.port, database: "trustkern", user, password };
    const client = new pg.Client({ ...target, ssl: postgresTls(this.tls.right), ...options });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null) {
      child.kill("SIGINT");
      await once(child, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(program: string, args: readonly string[]): void {
    execFileSync(join(PROGRAMS ?? "", program), args, { stdio: "ignore", ...UNPRIVILEGED });
  }

  #own(): void {
    const { uid, gid } = UNPRIVILEGED;
    if (uid === undefined) return;
    for (const file of [".", ...readdirSync(this.folder)]) chownSync(join(this.folder, file), uid, gid);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
