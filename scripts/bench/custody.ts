import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { callControl } from "../../shared/control-client.ts";
import { listGenerations } from "../../stacks/host/custody-management.ts";
import { cpuSeconds } from "./cpu.ts";

/** The crypto service and the custody broker, as a deployment runs them, with one generation in a file store. */
export interface BenchCustody {
  /** Unix socket that the collector asks. */
  readonly socket: string;
  /** Key id (8 bytes) and raw public key (32 bytes) of the active generation. */
  readonly keyId: Uint8Array;
  readonly recipient: Uint8Array;
  /** CPU-seconds of each process so far. */
  readonly cpuSeconds: () => Readonly<Record<"custody" | "broker", number>>;
  readonly close: () => void;
}

const ATTEMPTS = 400;
const ATTEMPT_MS = 50;

/** Starts both in a folder, and waits until they can be asked. */
export async function startBenchCustody(folder: string, root: string): Promise<BenchCustody> {
  const at = (name: string): string => join(folder, name);
  const common = (name: string) => ({ name, tenant: "bench", controlSocket: at(`${name}.control`) });
  writeFileSync(at("passphrase"), randomBytes(32).toString("hex"), { mode: 0o600 });
  const start = (service: string, config: { readonly name: string; readonly [member: string]: unknown }): number => {
    writeFileSync(at(`${config.name}.json`), JSON.stringify(config));
    const main = join(root, "services", service, "main.ts");
    const child = spawn(process.execPath, [main, "--config", at(`${config.name}.json`)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    return child.pid ?? 0;
  };
  const pids = {
    custody: start("custody", {
      ...common("custody"),
      keyStore: { kind: "file", folder: at("keys"), passphraseFile: at("passphrase") },
      unseal: "at-start",
      stateFolder: at("state"),
      auditFolder: at("audit"),
      kemSocket: at("kem"),
      manageSocket: at("manage"),
    }),
    broker: start("custody-broker", {
      ...common("broker"),
      custodySocket: at("kem"),
      listen: { kind: "unix", socket: at("open") },
    }),
  };
  const close = (): void => {
    for (const pid of Object.values(pids)) process.kill(pid);
  };
  for (const name of ["custody", "broker"]) await ready(at(`${name}.control`));
  const [active] = await listGenerations(at("manage"));
  if (active === undefined) throw new Error("custody has no generation");
  return {
    socket: at("open"),
    keyId: Buffer.from(active.keyId, "hex"),
    recipient: active.publicKey,
    cpuSeconds: () => ({ custody: cpuSeconds(pids.custody), broker: cpuSeconds(pids.broker) }),
    close,
  };
}

async function ready(control: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const status = await callControl(control, "GET", "/status").catch(() => null);
    if ((status as { readonly ready?: unknown } | null)?.ready === true) return;
    await delay(ATTEMPT_MS);
  }
  throw new Error(`${control} is not ready`);
}
