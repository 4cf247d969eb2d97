import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TestTransit } from "../../../custody/backends/contract/test-transit.ts";
import { createKemClient, type KemClient } from "../../../services/collector/kem/client.ts";
import { BROKER_NAME, type KemPki } from "../../../services/collector/kem/test-brokers.ts";
import type { ListedGeneration } from "../../../stacks/host/custody-management.ts";
import { manage, openedBy, sealTo } from "./asking.ts";
import { type CustodyProcesses, custodyProcesses, type Running } from "./processes.ts";

/** A custody with its broker, as a pod has them: processes of the real services, in folders of their own. */
export interface Replica {
  readonly name: string;
  readonly processes: CustodyProcesses;
  /** Its own management socket. */
  readonly ask: <K extends Parameters<typeof manage>[1]>(method: K, request?: object) => ReturnType<typeof manage<K>>;
  readonly start: () => Promise<void>;
  readonly kill: (which: "custody" | "broker" | "both") => Promise<void>;
  /** Waits until custody says of itself what is asked for. */
  readonly until: (wanted: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Whether a message opens here and now; null while it is sealed or away. */
  readonly opens: (generation: Pick<ListedGeneration, "keyId" | "publicKey">) => Promise<boolean | null>;
  /** Security events of both, of a kind. */
  readonly events: (kind: string) => readonly Record<string, unknown>[];
  /** Port at which its broker answers others; 0 before it has started. */
  readonly port: () => number;
  readonly end: () => Promise<void>;
}

/** What a replica is made with. */
export interface ReplicaOptions {
  readonly name: string;
  readonly transit: TestTransit;
  readonly pki: KemPki;
  readonly followSeconds: number;
  /** Port of the writer's broker, asked at each start. */
  readonly writerPort: () => number;
  readonly tenant?: string;
}

const UNTIL_MS = 60_000;
const LOOK_MS = 50;

/** Makes the folders, and starts nothing. */
export async function replica(options: ReplicaOptions): Promise<Replica> {
  const { name, transit, pki, followSeconds, tenant = "acme" } = options;
  const processes = custodyProcesses();
  const { at } = processes;
  const { certPem, keyPem } = pki.pair("svc-custody-broker");
  const texts = { "ca.crt": pki.ca, "tls.crt": certPem, "tls.key": keyPem, "crl.pem": await pki.lists() };
  for (const [file, text] of Object.entries(texts)) writeFileSync(at(file), text);
  copyFileSync(join(transit.folder, "token"), at("token"));
  copyFileSync(join(transit.folder, "ca.crt"), at("vault.crt"));
  const tls = { caFile: at("ca.crt"), certFile: at("tls.crt"), keyFile: at("tls.key"), crlFile: at("crl.pem") };
  let running: { custody?: Running; broker?: Running } = {};
  let client: KemClient | undefined;
  let port = 0;

  const custody = () =>
    processes.custody({
      tenant,
      keyStore: {
        kind: "vault",
        ...transit.key(),
        tokenFile: at("token"),
        caFile: at("vault.crt"),
        folder: at("keys"),
      },
      replicas: { writer: "custody-0", self: name, followSeconds },
    });
  const broker = () =>
    processes.broker({
      tenant,
      replicas: {
        address: { hosts: ["127.0.0.1"], port },
        tls,
        writer: { host: "127.0.0.1", port: options.writerPort() || 1, servername: BROKER_NAME },
        everySeconds: 0.2,
      },
    });
  const until: Replica["until"] = async (wanted) => {
    let said: Record<string, unknown> = {};
    for (let waited = 0; waited < UNTIL_MS; waited += LOOK_MS) {
      said = await processes.status("custody").catch(() => ({}));
      if (Object.entries(wanted).every(([key, value]) => said[key] === value)) return;
      await delay(LOOK_MS);
    }
    throw new Error(`${name} says ${JSON.stringify(said)}: ${processes.written()}`);
  };
  return {
    name,
    processes,
    until,
    ask: (method, request) => manage(at("manage"), method, request),
    start: async () => {
      if (running.custody === undefined) running = { ...running, custody: custody() };
      if (running.broker === undefined) running = { ...running, broker: broker() };
      await processes.until("broker", true);
      port = Number((await processes.status("broker")).replicasPort);
    },
    kill: async (which) => {
      const { custody: one, broker: other } = running;
      const gone = [which !== "broker" && one, which !== "custody" && other];
      await Promise.all(gone.map((each) => (each ? each.kill("SIGKILL") : null)));
      running = {
        ...(which === "broker" && one ? { custody: one } : {}),
        ...(which === "custody" && other ? { broker: other } : {}),
      };
    },
    opens: async (generation) => {
      client ??= createKemClient({ custody: { kind: "unix", socket: at("open") }, onState: () => undefined });
      const { item, ciphertext } = sealTo(generation);
      // A client waits as long as custody is sealed: that is what is asked.
      const result = await Promise.race([client.open([item]), delay(1_500, null)]);
      return result === null ? null : openedBy(result[0], ciphertext);
    },
    events: (kind) =>
      processes
        .written()
        .split("\n")
        .filter((line) => line.includes(`"${kind}"`))
        .map((line) => JSON.parse(line).event),
    port: () => port,
    end: async () => {
      client?.close();
      await processes.end();
    },
  };
}
