import { generateKeyPairSync } from "node:crypto";
import { createAllowlist } from "../../protocol/allowlist.ts";
import { hexOf } from "../../protocol/hex.ts";
import { p256Signer } from "../../protocol/signature.ts";
import type { Message } from "../../services/collector/intake/queue.ts";
import { type CheckedBatch, createWorkerPool, MESSAGES_PER_BATCH } from "../../services/collector/verify/pool.ts";
import { startBenchCustody } from "./custody.ts";
import { makeEnvelope, makeSensors } from "./envelopes.ts";
import { publicPoint } from "./keys.ts";

/** CPU time of some messages. */
export interface VerifyOpenResult {
  readonly messages: number;
  /** CPU-seconds of the thread pool, and of the process around it. */
  readonly collectorSeconds: number;
  /** Of the crypto service and its broker. */
  readonly custodySeconds: number;
}

/** A collector's thread pool as the service runs it, the custody broker, and the crypto service that holds the key. */
export interface VerifyOpenBench {
  /** Verifies, opens and parses the next messages; one batch at a time, so that cores that share caches do not slow each other. */
  readonly round: () => Promise<VerifyOpenResult>;
  readonly close: () => Promise<void>;
}

const SENSORS = 10;

/** Makes `rounds` times `perRound` envelopes, no two alike, and warms everything up. */
export async function prepareVerifyOpen(
  folder: string,
  root: string,
  rounds: number,
  perRound: number,
): Promise<VerifyOpenBench> {
  const custody = await startBenchCustody(folder, root);
  const custodyTime = (): number => Object.values(custody.cpuSeconds()).reduce((sum, seconds) => sum + seconds, 0);
  const sensors = makeSensors(SENSORS);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const document = {
    audience: "collector" as const,
    version: 1,
    issuedAtMs: 0,
    sensors: sensors.map(({ id, publicKey }) => ({ sensorId: hexOf(id), publicKey, maker: "bench" })),
    revoked: [],
  };
  const batches: Message[][] = [];
  const warmUp = 30;
  for (let n = 0; n < warmUp * MESSAGES_PER_BATCH + rounds * perRound; n++) {
    const sensor = sensors[n % SENSORS] as (typeof sensors)[number];
    const bytes = await makeEnvelope(sensor, n, custody.recipient);
    if (n % MESSAGES_PER_BATCH === 0) batches.push([]);
    batches.at(-1)?.push({ gateway: "gw-bench", sensorId: hexOf(sensor.id), bytes, receivedAtMs: 0 });
  }
  let checked: (batch: CheckedBatch) => void = () => undefined;
  const pool = createWorkerPool({
    entry: new URL("../../services/collector/main.ts", import.meta.url),
    threads: 1,
    setup: { custody: { kind: "unix", socket: custody.socket }, backendKey: publicPoint(privateKey) },
    onChecked: (batch) => checked(batch),
    onFault: (reason) => {
      throw new Error(reason);
    },
    onCustodyProblem: (problem) => {
      throw new Error(problem);
    },
  });
  pool.setAllowlist(await createAllowlist(document, p256Signer(privateKey)));

  async function run(count: number): Promise<number> {
    let messages = 0;
    for (const batch of batches.splice(0, count)) {
      const done = new Promise<CheckedBatch>((resolve) => {
        checked = resolve;
      });
      pool.dispatch(batch, false);
      const { results } = await done;
      if (results.some(({ outcome }) => outcome !== "accepted")) throw new Error("an envelope was not accepted");
      messages += results.length;
    }
    return messages;
  }

  await run(warmUp);
  return {
    round: async () => {
      const [before, custodyBefore] = [process.cpuUsage(), custodyTime()];
      const messages = await run(Math.floor(perRound / MESSAGES_PER_BATCH));
      const used = process.cpuUsage(before);
      const custodySeconds = custodyTime() - custodyBefore;
      return { messages, collectorSeconds: (used.user + used.system) / 1e6, custodySeconds };
    },
    close: async () => {
      await pool.close();
      custody.close();
    },
  };
}
