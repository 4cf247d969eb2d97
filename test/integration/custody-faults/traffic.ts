import { setTimeout as delay } from "node:timers/promises";
import { batchRoot } from "../../../custody/audit/merkle.ts";
import type { KemItem, KemResult } from "../../../custody/kem.ts";
import { packItems, unpackResults } from "../../../custody/kem-items.ts";
import { Kem, Use } from "../../../custody/proto/custody_pb.ts";
import { grpcClient } from "../../../shared/grpc/client.ts";
import type { ListedGeneration } from "../../../stacks/host/custody-management.ts";
import { openedBy, sealTo } from "../custody/asking.ts";
import type { Random } from "./random.ts";

/** A batch that was answered. */
export interface Answer {
  /** Merkle root over what was asked and what was answered: its record has the same. */
  readonly root: string;
  readonly items: number;
}

/** A batch that was not. */
export interface Refusal {
  readonly code: string;
  /** From the question on, in milliseconds, without those for which this process itself was held up. */
  readonly ms: number;
}

/** Batches that are asked all the time, as the collector asks, but for repeating what was refused. */
export interface Traffic {
  readonly answers: readonly Answer[];
  readonly refusals: readonly Refusal[];
  /** Resolves once each of those who ask was answered something that it asked from now on: nothing older is under way then. */
  readonly answered: () => Promise<void>;
  /** Resolves once something that is asked from now on is refused. */
  readonly refused: () => Promise<void>;
  /** @throws when an answer was wrong */
  readonly end: () => Promise<void>;
}

/** How often this process looks whether it was held up. */
const LOOK_MS = 20;
const LOOPS = 4;
const PAUSE_MS = 25;
/** As the collector waits. */
const CLIENT_MS = 5_000;
/** How long an answer or a refusal may not come on a machine that is busy with others. */
const PATIENCE_MS = 60_000;

interface Asked {
  readonly item: KemItem;
  /** What it must come to. */
  readonly fits: (result: KemResult) => boolean;
}

/** Begins to ask. */
export function startTraffic(socket: string, generation: ListedGeneration, random: Random): Traffic {
  const client = grpcClient(Kem, { address: `unix:${socket}` });
  const answers: Answer[] = [];
  const refusals: Refusal[] = [];
  const answeredAt = new Array<number>(LOOPS).fill(0);
  let refusedAt = 0;
  let heldUpMs = 0;
  let lookedAt = performance.now();
  const looking = setInterval(() => {
    const now = performance.now();
    heldUpMs += Math.max(0, now - lookedAt - LOOK_MS);
    lookedAt = now;
  }, LOOK_MS).unref();
  let ending = false;

  function asked(): Asked {
    const { item, ciphertext } = sealTo(generation);
    const kind = random(8);
    if (kind === 0) return { item: { ...item, keyId: Buffer.alloc(8, 7) }, fits: (it) => it === "unknown-key" };
    if (kind === 1)
      return { item: { ...item, encapsulatedKey: Buffer.alloc(32) }, fits: (it) => it === "decapsulation-failed" };
    return { item, fits: (it) => openedBy(it, ciphertext) };
  }
  async function ask(loop: number): Promise<void> {
    const batch = Array.from({ length: 1 + random(8) }, asked);
    const items = batch.map(({ item }) => item);
    const [at, heldUpBefore] = [performance.now(), heldUpMs];
    const request = { use: Use.LIVE, items: packItems(items) };
    const response = await client.call("decapsulateBatch", request, CLIENT_MS).catch((thrown: { code: string }) => {
      refusals.push({ code: thrown.code, ms: performance.now() - at - (heldUpMs - heldUpBefore) });
      refusedAt = at;
    });
    if (!response) return;
    const results = unpackResults(response.results, items.length);
    if (!batch.every(({ fits }, index) => fits(results[index] as KemResult))) throw new Error("a wrong answer");
    answers.push({ root: batchRoot(items, results), items: items.length });
    answeredAt[loop] = at;
  }
  async function askOn(loop: number): Promise<void> {
    while (!ending) {
      await ask(loop);
      await delay(PAUSE_MS);
    }
  }
  const loops = Promise.all(answeredAt.map((_, loop) => askOn(loop)));
  const until = async (what: string, isTrue: (from: number) => boolean): Promise<void> => {
    const from = performance.now();
    while (!isTrue(from)) {
      await Promise.race([delay(5), loops]);
      if (performance.now() - from > PATIENCE_MS) throw new Error(`no ${what} in ${PATIENCE_MS} ms`);
    }
  };
  return {
    answers,
    refusals,
    answered: () => until("answer", (from) => answeredAt.every((at) => at >= from)),
    refused: () => until("refusal", (from) => refusedAt >= from),
    end: async () => {
      ending = true;
      await loops.finally(client.close);
      clearInterval(looking);
    },
  };
}
