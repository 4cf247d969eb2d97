import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { callControl } from "../../../shared/control-client.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** How long a process may take on a machine that is busy with others. */
const UNTIL_MS = 100_000;
const LOOK_MS = 50;

/** A process of ours, and everything that it has written. */
export interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves when it has ended, and everything that it wrote is there. */
  readonly ended: Promise<unknown>;
  readonly kill: (signal: NodeJS.Signals) => Promise<number | null>;
}

/** Custody and its broker in a folder of their own, each under the permission model, as the embedded engine starts them. */
export interface CustodyProcesses {
  readonly at: (name: string) => string;
  /** Starts custody; `changes` go into its configuration, `under` is a program that becomes it. */
  readonly custody: (changes?: object, under?: readonly string[]) => Running;
  readonly broker: (changes?: object) => Running;
  readonly status: (name: "custody" | "broker") => Promise<Record<string, unknown>>;
  /** Waits until a process says that it is ready, or that it is not. */
  readonly until: (name: "custody" | "broker", ready: boolean) => Promise<void>;
  /** Everything that all processes have written. */
  readonly written: () => string;
  readonly end: () => Promise<void>;
}

/** Makes the folder, with a passphrase of 256 random bits. */
export function custodyProcesses(): CustodyProcesses {
  const folder = mkdtempSync(join(tmpdir(), "tk-c-"));
  const at = (name: string): string => join(folder, name);
  const started: Running[] = [];
  writeFileSync(at("passphrase"), `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });

  function start(service: string, config: object, under: readonly string[] = []): Running {
    const { name } = config as { name: string };
    writeFileSync(at(`${name}.json`), JSON.stringify(config));
    const running = run([
      ...under,
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      "--permission",
      "--allow-net",
      `--allow-fs-read=${ROOT}`,
      `--allow-fs-read=${folder}`,
      `--allow-fs-write=${folder}`,
      join(ROOT, "services", service, "main.ts"),
      "--config",
      at(`${name}.json`),
    ]);
    started.push(running);
    return running;
  }
  const status = async (name: string) =>
    (await callControl(at(`${name}.control`), "GET", "/status")) as Record<string, unknown>;
  const common = (name: string) => ({ name, tenant: "acme", controlSocket: at(`${name}.control`) });
  return {
    at,
    status,
    custody: (changes = {}, under = []) => {
      const config = {
        ...common("custody"),
        keyStore: { kind: "file", folder: at("keys"), passphraseFile: at("passphrase") },
        unseal: "at-start",
        stateFolder: at("state"),
        auditFolder: at("audit"),
        kemSocket: at("kem"),
        manageSocket: at("manage"),
        keyUsageSeconds: 3600,
        ...changes,
      };
      return start("custody", config, under);
    },
    broker: (changes = {}) =>
      start("custody-broker", {
        ...common("broker"),
        custodySocket: at("kem"),
        listen: { kind: "unix", socket: at("open") },
        ...changes,
      }),
    until: async (name, ready) => {
      for (let waited = 0; waited < UNTIL_MS; waited += LOOK_MS) {
        const said = await status(name).catch(() => undefined);
        if (said?.ready === ready) return;
        await delay(LOOK_MS);
      }
      throw new Error(
        `${name} is not ${ready ? "ready" : "away"} after ${UNTIL_MS} ms: ${started.map(({ output }) => output()).join("")}`,
      );
    },
    written: () => started.map(({ output }) => output()).join(""),
    end: async () => {
      await Promise.all(started.map(({ kill }) => kill("SIGKILL")));
      rmSync(folder, { recursive: true });
    },
  };
}

function run([program = "", ...args]: readonly string[]): Running {
  const child = spawn(program, args);
  let written = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      written += chunk.toString();
    });
  const ended = once(child, "close");
  return {
    child,
    ended,
    output: () => written,
    kill: async (signal) => {
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}
