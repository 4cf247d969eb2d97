import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { hostSocket } from "../../stacks/docker/mounts.ts";
import { createDockerCli, dockerOutput } from "../../stacks/host/docker-cli.ts";
import { controlOf } from "../../stacks/host/first-steps.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import type { Control } from "../../stacks/host/recipients.ts";
import { PROJECT } from "./deployment.ts";
import { type Ended, runProgram } from "./run.ts";

/** The docker client of this machine. */
export const docker = createDockerCli(process.env);

/** An example, as the README's reader has it: a folder with `trustkern.yaml`, and the command line. */
export interface Example {
  readonly file: string;
  readonly dir: string;
  readonly tenant: string;
  /** Runs the command line on it. */
  readonly cli: (
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    timeoutSeconds?: number,
  ) => Promise<Ended>;
  readonly control: Control;
  readonly secret: (component: string, name: string) => string;
}

/** The program of the command line, for whoever starts it alone. */
export const CLI = ["--disable-warning=ExperimentalWarning", join(PROJECT, "cli", "main.ts")] as const;

/** A copy of `examples/single-host` in a folder of its own. */
export function singleHost(folder: string): Example {
  return exampleIn(folder, "single-host");
}

/**
 * A copy of a folder of `examples/` in one of its own.
 * @param usual what the environment of its command line has besides
 */
export function exampleIn(folder: string, name: string, usual: Readonly<Record<string, string>> = {}): Example {
  const file = join(folder, "trustkern.yaml");
  copyFileSync(join(PROJECT, "examples", name, "trustkern.yaml"), file);
  const layout = layoutOf(join(folder, ".trustkern"), "/tmp");
  const { tenant } = parseDeploymentYaml(readFileSync(file, "utf8"), file);
  return {
    file,
    dir: layout.dir,
    tenant,
    cli: (args, env = {}, timeoutSeconds = 400) =>
      runProgram(process.execPath, [...CLI, "-f", file, "--progress", "plain", ...args], {
        env: { ...usual, ...env },
        timeoutSeconds,
      }),
    control: controlOf((component, socket) => hostSocket(layout, component, socket)),
    secret: (component, name) => readFileSync(join(layout.secretsDir, component, name), "utf8"),
  };
}

/** Runs the command line, and fails with what it said when it does not end with exit code 0. */
export async function succeed(example: Example, args: readonly string[]): Promise<Ended> {
  const ended = await example.cli(args);
  if (ended.code !== 0) throw new Error(`${args.join(" ")} ended with ${ended.code}: ${ended.stderr}${ended.stdout}`);
  return ended;
}

/** The first address of a container, for one that listens on all; this host reaches the bridges of its own containers. */
async function addressOf(container: string): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
  const [address = ""] = (await dockerOutput(docker, ["inspect", "-f", format, container])).trim().split(/\s+/);
  return address;
}

/** The process of a container, as this host counts. */
export async function pidOf(container: string): Promise<number> {
  return Number(await dockerOutput(docker, ["inspect", "-f", "{{.State.Pid}}", container]));
}

/** Rows of the deployment's database, as the role that may only read, over TLS 1.3 verified in full. */
export async function openDatabase(example: Pick<Example, "tenant" | "secret">) {
  const pool = new pg.Pool({
    host: await addressOf("database"),
    port: 5432,
    database: "trustkern",
    user: "reader",
    password: example.secret("database", "reader.password"),
    ssl: {
      ca: example.secret("collector", "ca.crt"),
      servername: `database.${example.tenant}.trustkern.internal`,
      minVersion: "TLSv1.3",
    },
    max: 2,
  });
  pool.on("error", () => undefined);
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await pool.query(text, [...values])).rows as readonly Row[],
    close: () => pool.end(),
  };
}

/** Runs a script of this folder in the network namespace of a container, and reads what it prints as JSON. */
export async function runInside<T>(container: string, script: string, argument: unknown): Promise<T> {
  const file = join(PROJECT, "test", "support", script);
  const inside = ["-t", String(await pidOf(container)), "-n", process.execPath, file, JSON.stringify(argument)];
  const { code, stdout, stderr } = await runProgram("nsenter", inside);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

/** Who connects, and to what: files of secrets, and the name that the server's certificate must have. */
export function tlsFiles(example: Example, component: string, as: string) {
  const own = join(example.dir, "secrets", as);
  return {
    servername: `${component}.${example.tenant}.trustkern.internal`,
    ca: join(own, "ca.crt"),
    cert: join(own, "tls.crt"),
    key: join(own, "tls.key"),
    minVersion: "TLSv1.3",
  } as const;
}

/** Asks a component by HTTPS with the certificate of another, and reads the answer as JSON. It listens on its loopback address. */
export async function ask(
  example: Example,
  component: string,
  port: number,
  as: string,
  path: string,
): Promise<unknown> {
  const asked = { ...tlsFiles(example, component, as), host: "127.0.0.1", port, path };
  const { status, body } = await runInside<{ status: number; body: string }>(component, "tls-inside.mjs", asked);
  if (status === 200) return JSON.parse(body);
  throw new Error(`${component} answered ${status}: ${body.slice(0, 200)}`);
}
