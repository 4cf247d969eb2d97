import { cpSync, readdirSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestTransit } from "../../custody/backends/contract/test-transit.ts";
import { type KemPki, makeKemPki } from "../../services/collector/kem/test-brokers.ts";
import type { ListedGeneration } from "../../stacks/host/custody-management.ts";
import { type Replica, type ReplicaOptions, replica } from "./custody/replica-processes.ts";

/** Long enough that a busy machine is not taken for a writer that is away. */
const FOLLOW_SECONDS = 20;

let transit: TestTransit;
let pki: KemPki;
let made: Replica[];
let writer: Replica;
let follower: Replica;

async function make(name: string, changes: Partial<ReplicaOptions> = {}): Promise<Replica> {
  const options = { name, transit, pki, followSeconds: FOLLOW_SECONDS, writerPort: () => writer?.port() ?? 0 };
  const one = await replica({ ...options, ...changes });
  made.push(one);
  return one;
}

beforeEach(async () => {
  transit = new TestTransit();
  await transit.start();
  pki = await makeKemPki();
  made = [];
});
afterEach(async () => {
  await Promise.all(made.map(({ end }) => end()));
  transit.stop();
});

async function startPair(followSeconds = FOLLOW_SECONDS): Promise<void> {
  writer = await make("custody-0", { followSeconds });
  await writer.start();
  await writer.until({ ready: true, role: "writer" });
  follower = await make("custody-1", { followSeconds });
  await follower.start();
}

const list = async ({ ask }: Replica): Promise<readonly ListedGeneration[]> =>
  (await ask("listGenerations")).generations;
const active = (generations: readonly ListedGeneration[]): ListedGeneration => {
  const found = generations.find(({ state }) => state === "active");
  if (found === undefined) throw new Error("none is active");
  return found;
};

/** Waits until the follower lists what the writer lists. */
async function untilFollowed(): Promise<readonly ListedGeneration[]> {
  const wanted = await list(writer);
  for (let looks = 0; looks < 1_000; looks += 1) {
    const known = await list(follower).catch(() => []);
    if (JSON.stringify(known.map(shown)) === JSON.stringify(wanted.map(shown))) return wanted;
    await delay(50);
  }
  throw new Error(`the follower did not follow: ${follower.processes.written()}`);
}
const shown = ({ keyId, state, compromised }: ListedGeneration) => [keyId, state, compromised?.stored ?? ""];

describe("two custodies", () => {
  it("open the same messages; what is rotated, compromised and destroyed at the writer is in force at the follower", async () => {
    await startPair();
    const [first] = await untilFollowed();
    if (first === undefined) throw new Error("no generation");
    expect([await writer.opens(first), await follower.opens(first)]).toEqual([true, true]);
    expect(await follower.processes.status("custody")).toMatchObject({ role: "follower", sealed: false });

    await writer.ask("generate", { state: "active" });
    const second = active(await untilFollowed());
    expect(second.keyId).not.toBe(first.keyId);
    expect(await follower.opens(second)).toBe(true);

    await writer.ask("compromise", { keyId: second.keyId, stored: "block", reason: "a laptop was lost" });
    const third = active(await untilFollowed());
    expect([await follower.opens(second), await follower.opens(third), await follower.opens(first)]).toEqual([
      false,
      true,
      true,
    ]);

    await writer.ask("destroy", { keyId: first.keyId });
    await untilFollowed();
    expect(await follower.opens(first)).toBe(false);
    expect(readdirSync(follower.processes.at("keys"))).not.toContain(`${first.keyId}.key`);

    await expect(follower.ask("generate", { state: "active" })).rejects.toMatchObject({ code: "CUSTODY_FOLLOWS" });
    await expect(follower.ask("destroy", { keyId: second.keyId })).rejects.toMatchObject({ code: "CUSTODY_FOLLOWS" });
    await expect(follower.ask("attest", { keyId: second.keyId })).rejects.toMatchObject({ code: "CUSTODY_FOLLOWS" });
  });

  it("go on while either is killed at any moment, and agree afterwards", async () => {
    await startPair();
    await untilFollowed();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<"writer" | "follower">("writer", "follower"),
        fc.constantFrom<"custody" | "broker" | "both">("custody", "broker", "both"),
        fc.constantFrom("active", "next"),
        fc.integer({ min: 0, max: 400 }),
        async (who, which, state, afterMs) => {
          const victim = who === "writer" ? writer : follower;
          const changing = writer.ask("generate", { state }).catch(() => undefined);
          await delay(afterMs);
          await victim.kill(which);
          await changing;
          await victim.start();
          await writer.until({ ready: true });
          await follower.until({ ready: true });
          const generations = await untilFollowed();
          const newest = active(generations);
          expect([await writer.opens(newest), await follower.opens(newest)]).toEqual([true, true]);
        },
      ),
      { numRuns: 8 },
    );
    expect(follower.events("CUSTODY_WRITER_REFUSED")).toEqual([]);
  });

  it("seal: the follower, when the writer is away for longer than it may be; it goes on by itself when the writer is back", async () => {
    await startPair(5);
    const [first] = await untilFollowed();
    if (first === undefined) throw new Error("no generation");
    await writer.kill("custody");
    expect(await follower.opens(first)).toBe(true);
    await follower.until({ sealed: true, sealedBecause: "alone" });
    expect(await follower.opens(first)).toBe(null);
    await delay(600);
    expect(follower.events("CUSTODY_SEALED")).toMatchObject([{ actor: "custody" }]);
    await writer.start();
    await follower.until({ sealed: false });
    expect(await follower.opens(first)).toBe(true);
    expect(follower.events("CUSTODY_UNSEALED")).toHaveLength(2);
  });

  it("seal: the follower that starts while the writer is away", async () => {
    await startPair();
    await untilFollowed();
    await follower.kill("both");
    await writer.kill("broker");
    await follower.start();
    await follower.until({ sealed: true, sealedBecause: "waiting" });
    await expect(follower.ask("listGenerations")).rejects.toMatchObject({ code: "CUSTODY_SEALED" });
    await writer.start();
    await follower.until({ sealed: false });
  });
});

describe("a follower refuses, with an event,", () => {
  it("a writer under which an older volume was put back, and stays with what it knows", async () => {
    await startPair(5);
    await untilFollowed();
    const { at } = writer.processes;
    await writer.kill("custody");
    for (const part of ["keys", "state", "audit"]) cpSync(at(part), at(`${part}.older`), { recursive: true });
    await writer.start();
    await writer.until({ ready: true });
    await writer.ask("generate", { state: "active" });
    const newest = active(await untilFollowed());
    await writer.kill("custody");
    for (const part of ["keys", "state", "audit"]) {
      rmSync(at(part), { recursive: true });
      cpSync(at(`${part}.older`), at(part), { recursive: true });
    }
    await writer.start();
    await writer.until({ ready: true });
    for (let looks = 0; looks < 400 && follower.events("CUSTODY_WRITER_REFUSED").length === 0; looks += 1)
      await delay(50);
    expect(follower.events("CUSTODY_WRITER_REFUSED")).toMatchObject([{ reason: "CUSTODY_WRITER_BEHIND" }]);
    await follower.until({ sealed: true, sealedBecause: "alone" });
    expect(await follower.opens(newest)).toBe(null);
  });

  it("another custody in the writer's place, under the same wrapping key", async () => {
    await startPair();
    await untilFollowed();
    const impostor = await make("custody-0");
    await impostor.start();
    await impostor.until({ ready: true });
    await writer.kill("both");
    const own = writer;
    writer = impostor;
    await follower.kill("broker");
    await follower.start();
    for (let looks = 0; looks < 400 && follower.events("CUSTODY_WRITER_REFUSED").length === 0; looks += 1)
      await delay(50);
    expect(follower.events("CUSTODY_WRITER_REFUSED")).toMatchObject([{ reason: "CUSTODY_WRITER_OTHER" }]);
    writer = own;
  });

  it("another tenant's writer: its broker is not trusted", async () => {
    writer = await make("custody-0", { pki: await makeKemPki("other"), tenant: "other" });
    await writer.start();
    follower = await make("custody-1");
    await follower.start();
    for (let looks = 0; looks < 400 && follower.events("AUTH_FAILED").length === 0; looks += 1) await delay(50);
    expect(follower.events("AUTH_FAILED")[0]).toMatchObject({ object: "custody-writer" });
    expect(await follower.processes.status("custody")).toMatchObject({ sealed: true, sealedBecause: "waiting" });
  });
});
