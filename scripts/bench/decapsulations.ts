import type { KemItem } from "../../custody/kem.ts";
import { MAX_KEM_ITEMS, packItems } from "../../custody/kem-items.ts";
import { Kem, Use } from "../../custody/proto/custody_pb.ts";
import { hpkeSeal, TELEMETRY_INFO } from "../../protocol/hpke.ts";
import { grpcClient } from "../../shared/grpc/client.ts";
import { type BenchCustody, startBenchCustody } from "./custody.ts";

/** CPU time of some decapsulations. */
export interface DecapsulationsResult {
  readonly items: number;
  /** CPU-seconds of each process: who asks, the broker, the crypto service. */
  readonly cpu: Readonly<Record<"client" | "broker" | "custody", number>>;
}

/** A client, the custody broker and the crypto service, each a process as in a deployment, with the audit log on the disk. */
export interface DecapsulationsBench {
  /** Opens so many items in batches of `batch`. */
  readonly round: (items: number, batch: number) => Promise<DecapsulationsResult>;
  readonly close: () => void;
}

/** Batches under way at once, as those of a collector with two threads. */
const UNDER_WAY = 4;
const LIMIT_MS = 30_000;

/** Starts all three, and warms them up. */
export async function prepareDecapsulations(folder: string, root: string): Promise<DecapsulationsBench> {
  const custody = await startBenchCustody(folder, root);
  const client = grpcClient(Kem, { address: `unix:${custody.socket}` });
  const items = Array.from({ length: MAX_KEM_ITEMS }, () => sealed(custody));

  async function run(count: number, batch: number): Promise<void> {
    const request = { use: Use.LIVE, items: packItems(items.slice(0, batch)) };
    let left = Math.ceil(count / batch);
    const ask = async (): Promise<void> => {
      while (left-- > 0) {
        const { results } = await client.call("decapsulateBatch", request, LIMIT_MS);
        if (results.length !== batch * 33 || results[0] !== 0) throw new Error("something was not opened");
      }
    };
    await Promise.all(Array.from({ length: UNDER_WAY }, ask));
  }

  await run(8 * MAX_KEM_ITEMS, MAX_KEM_ITEMS);
  await run(8 * MAX_KEM_ITEMS, 64);
  return {
    round: async (count, batch) => {
      const [own, before] = [process.cpuUsage(), custody.cpuSeconds()];
      await run(count, batch);
      const [used, after] = [process.cpuUsage(own), custody.cpuSeconds()];
      const [broker, service] = [after.broker - before.broker, after.custody - before.custody];
      return { items: count, cpu: { client: (used.user + used.system) / 1e6, broker, custody: service } };
    },
    close: () => {
      client.close();
      custody.close();
    },
  };
}

function sealed({ keyId, recipient }: BenchCustody): KemItem {
  return { keyId, encapsulatedKey: hpkeSeal(recipient, TELEMETRY_INFO, Buffer.alloc(0), Buffer.alloc(1)).enc };
}
