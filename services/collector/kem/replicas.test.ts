import { hash } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { kemErrors, sealed } from "../../../custody/kem-errors.ts";
import { ITEM_BYTES, packResults } from "../../../custody/kem-items.ts";
import { listenTcp } from "../../runtime/listen.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import { createKemClient, type KemClient } from "./client.ts";
import type { CustodyState } from "./replica.ts";
import { BROKER_NAME, identityOf, makeKemPki, type Played, type PlayedBroker, playBroker } from "./test-brokers.ts";

const [A, B, C] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"] as const;
const waiting = { timeout: 15_000, interval: 10 };
let [brokerTls, collectorTls]: Tls13Options[] = [];
const closers: (() => unknown)[] = [];
let states: CustodyState[];
let port: number;

beforeAll(async () => {
  const pki = await makeKemPki();
  [brokerTls, collectorTls] = [await identityOf(pki, "svc-custody-broker"), await identityOf(pki, "svc-collector")];
});
beforeEach(() => {
  states = [];
  port = 0;
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const item = (number: number) => ({ keyId: Buffer.alloc(8, 1), encapsulatedKey: Buffer.alloc(32, number) });
/** The secret of an item, by which an answer to another one shows. */
const secretOf = (bytes: Uint8Array) => hash("sha256", bytes, "buffer");
const expected = (number: number) => secretOf(item(number).encapsulatedKey);
const opened = (items: Uint8Array): Uint8Array =>
  packResults(
    Array.from({ length: items.length / ITEM_BYTES }, (_, n) =>
      secretOf(items.subarray(n * ITEM_BYTES + 8, (n + 1) * ITEM_BYTES)),
    ),
  );

/** Starts a broker at an address; all of a test have one port. */
async function broker(address: string, played: Partial<Played> = {}): Promise<PlayedBroker> {
  const started = await playBroker({ tls: brokerTls!, answer: opened, address, port, ...played });
  port = started.port;
  closers.push(started.kill);
  return started;
}

function client(resolve: () => readonly string[] | Promise<readonly string[]>): KemClient {
  const created = createKemClient({
    custody: { kind: "mtls", host: "custody-broker", port, servername: BROKER_NAME, tls: collectorTls! },
    onState: (state) => states.push(state),
    resolve: async () => resolve(),
  });
  closers.push(created.close);
  return created;
}

const open = async (kem: KemClient, ...numbers: readonly number[]) =>
  (await kem.open(numbers.map(item))).map((result) => (typeof result === "string" ? result : Buffer.from(result)));
/** Waits until the client has heard of each: a second look comes after the first was answered. */
const known = (brokers: readonly PlayedBroker[]) =>
  expect.poll(() => brokers.every(({ looks }) => looks() > 1), waiting).toBe(true);
const isReady = () => expect.poll(() => states.at(-1), waiting).toBe("ready");

describe("several custody brokers behind one name", () => {
  it("share the batches", async () => {
    const brokers = [await broker(A), await broker(B), await broker(C)];
    const kem = client(() => [A, B, C]);
    await known(brokers);
    for (let n = 0; n < 30; n += 1) expect(await open(kem, n, n + 1)).toEqual([expected(n), expected(n + 1)]);
    expect(brokers.map(({ asked }) => asked())).toEqual([10, 10, 10]);
  });

  describe("of which some have not heard of a key yet", () => {
    /** Opens what has an even number, and is a follower that is behind for all others. */
    const behind = (items: Uint8Array): Uint8Array =>
      packResults(
        Array.from({ length: items.length / ITEM_BYTES }, (_, n) => {
          const bytes = items.subarray(n * ITEM_BYTES + 8, (n + 1) * ITEM_BYTES);
          return (bytes[0] ?? 0) % 2 === 0 ? secretOf(bytes) : "unknown-key";
        }),
      );

    it("open it all the same, whichever was asked first, each its own", async () => {
      const brokers = [await broker(A, { answer: behind }), await broker(B), await broker(C, { answer: behind })];
      const kem = client(() => [A, B, C]);
      await known(brokers);
      for (let n = 0; n < 12; n += 1) {
        expect(await open(kem, n, n + 1, n + 2)).toEqual([expected(n), expected(n + 1), expected(n + 2)]);
      }
    });

    it("say that nobody knows it once each was asked", async () => {
      const brokers = [await broker(A, { answer: behind }), await broker(B, { answer: behind })];
      const kem = client(() => [A, B]);
      await known(brokers);
      expect(await open(kem, 1, 2, 3)).toEqual(["unknown-key", expected(2), "unknown-key"]);
      expect(brokers.map(({ asked }) => asked())).toEqual([1, 1]);
    });

    it("do not wait for one that is sealed, away, or answers with what nobody asked", async () => {
      const brokers = [
        await broker(A, { answer: behind }),
        await broker(B, { sealed: () => true }),
        await broker(C, { answer: () => packResults([]) }),
      ];
      const kem = client(() => [A, B, C]);
      await known(brokers);
      expect(await open(kem, 1)).toEqual(["unknown-key"]);
    });
  });

  /** Two brokers; the first batch that reaches either is not answered, and this says which one that was. */
  async function withOneThatHangs() {
    let reached: (index: number) => void = () => undefined;
    const first = new Promise<number>((resolve) => {
      reached = resolve;
    });
    let hangs = true;
    const brokers: PlayedBroker[] = [];
    for (const [index, address] of [A, B].entries())
      brokers.push(
        await broker(address, {
          answer: (items) => {
            if (!hangs) return opened(items);
            hangs = false;
            reached(index);
            return new Promise(() => undefined);
          },
        }),
      );
    return { brokers, first };
  }

  it("answer for one that dies with what it was asked", async () => {
    const { brokers, first } = await withOneThatHangs();
    const kem = client(() => [A, B]);
    await known(brokers);
    const waits = open(kem, 7);
    const dying = brokers[await first];
    dying?.kill();
    expect(await waits).toEqual([expected(7)]);
    for (let n = 0; n < 10; n += 1) expect(await open(kem, n)).toEqual([expected(n)]);
    expect(brokers.map((each) => [each === dying, each.asked()]).toSorted()).toEqual([
      [false, 11],
      [true, 1],
    ]);
    expect(states).toEqual(["ready"]);
  });

  it("answer for one that hangs", async () => {
    const { brokers } = await withOneThatHangs();
    const kem = client(() => [A, B]);
    await known(brokers);
    expect(await open(kem, 7)).toEqual([expected(7)]);
    expect(states).toEqual(["ready"]);
  });

  it("are not asked while they are sealed and another is not", async () => {
    let isSealed = true;
    const closed = await broker(A, {
      sealed: () => isSealed,
      answer: (items) => {
        if (isSealed) throw sealed();
        return opened(items);
      },
    });
    const other = await broker(B);
    const kem = client(() => [A, B]);
    await known([closed, other]);
    const before = closed.asked();
    for (let n = 0; n < 20; n += 1) expect(await open(kem, n)).toEqual([expected(n)]);
    expect(closed.asked()).toBe(before);
    other.kill();
    await expect.poll(() => states.at(-1), waiting).toBe("sealed");
    const waits = open(kem, 99);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(closed.asked()).toBe(before);
    isSealed = false;
    expect(await waits).toEqual([expected(99)]);
  });

  it("are sealed together where all are, and what waits is opened by the first that is not", async () => {
    const sealedNow = new Set<string>([A, B]);
    for (const address of [A, B])
      await broker(address, {
        sealed: () => sealedNow.has(address),
        answer: (items) => {
          if (sealedNow.has(address)) throw sealed();
          return opened(items);
        },
      });
    const kem = client(() => [A, B]);
    const waits = open(kem, 5);
    await expect.poll(() => states, waiting).toEqual(["sealed"]);
    sealedNow.delete(B);
    expect(await waits).toEqual([expected(5)]);
    expect(states).toEqual(["sealed", "ready"]);
  });

  it("are tried in turn where one is busy", async () => {
    const busy = await broker(A, {
      answer: () => {
        throw kemErrors.error("CUSTODY_KEM_RATE", "later");
      },
    });
    const other = await broker(B);
    const kem = client(() => [A, B]);
    await known([busy, other]);
    for (let n = 0; n < 10; n += 1) expect(await open(kem, n)).toEqual([expected(n)]);
    expect(busy.asked()).toBeGreaterThan(0);
    expect(states).toEqual(["ready"]);
  });

  it("come and go with the name", async () => {
    const [first, second] = [await broker(A), await broker(B)];
    let addresses: readonly string[] = [A];
    const kem = client(() => addresses);
    expect(await open(kem, 1)).toEqual([expected(1)]);
    expect([first.asked(), second.asked()]).toEqual([1, 0]);
    addresses = [B];
    await expect
      .poll(async () => {
        await open(kem, 2);
        return second.asked();
      }, waiting)
      .toBeGreaterThan(0);
    const before = first.asked();
    for (let n = 0; n < 5; n += 1) await open(kem, n);
    expect(first.asked()).toBe(before);
  });

  it("stay known while the name cannot be looked up", async () => {
    await broker(A);
    let lookups = 0;
    const kem = client(() => {
      lookups += 1;
      if (lookups > 1) throw new Error("EAI_AGAIN");
      return [A];
    });
    await expect.poll(() => lookups, waiting).toBeGreaterThan(2);
    expect(await open(kem, 1)).toEqual([expected(1)]);
    expect(states).toEqual(["ready"]);
  });

  it("are away until the name can be looked up", async () => {
    await broker(A);
    let known = false;
    const kem = client(() => {
      if (!known) throw new Error("ENOTFOUND");
      return [A];
    });
    const waits = open(kem, 1);
    await expect.poll(() => states, waiting).toEqual(["away"]);
    known = true;
    expect(await waits).toEqual([expected(1)]);
  });

  it("are no more than sixteen", async () => {
    await broker(A);
    const many = Array.from({ length: 300 }, (_, n) => `127.0.1.${n % 256}`);
    const kem = client(() => [A, A, ...many]);
    expect(await open(kem, 1)).toEqual([expected(1)]);
  });
});

it("finds the one that is not sealed behind a Service of one address", async () => {
  const isSealed = await broker(A, {
    sealed: () => true,
    answer: () => {
      throw sealed();
    },
  });
  await broker(B);
  const behind = port;
  let connections = 0;
  const service: Server = createServer((socket) => {
    const to = connect(behind, connections++ < 3 ? A : B);
    socket.on("error", () => to.destroy()).on("close", () => to.destroy());
    to.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    socket.pipe(to).pipe(socket);
  });
  port = await listenTcp(service, { hosts: [C], port: 0 });
  closers.push(() => service.close());
  const kem = client(() => [C]);
  await expect.poll(() => states.at(0), waiting).toBe("sealed");
  expect(await open(kem, 4)).toEqual([expected(4)]);
  expect(isSealed.asked()).toBeLessThan(30);
});

/** What a broker may do with a batch. */
const deeds = {
  opens: opened,
  "is sealed": () => {
    throw sealed();
  },
  "is busy": () => {
    throw kemErrors.error("CUSTODY_KEM_RATE", "later");
  },
  "cannot write its log": () => {
    throw kemErrors.error("CUSTODY_KEM_UNAVAILABLE", "full");
  },
  "fails at something else": () => {
    throw new Error("what");
  },
  "gives one result too many": (items: Uint8Array) => Buffer.concat([opened(items), Buffer.alloc(33)]),
  "gives a status that nobody knows": (items: Uint8Array) => new Uint8Array(opened(items).length).fill(9),
  "gives nothing": () => new Uint8Array(),
} as const satisfies Record<string, Played["answer"]>;

it("gives every batch its own secrets, whatever the brokers do on the way", { timeout: 60_000 }, async () => {
  const names = Object.keys(deeds) as (keyof typeof deeds)[];
  const script = fc.array(fc.constantFrom(...names), { maxLength: 12 });
  const left: Record<string, (keyof typeof deeds)[]> = {};
  for (const address of [A, B, C])
    await broker(address, { answer: (items) => deeds[left[address]?.shift() ?? "opens"](items) });
  const kem = client(() => [A, B, C]);
  await isReady();
  const batches = fc.array(fc.array(fc.nat(255), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(script, script, script, batches, async (a, b, c, numbers) => {
      Object.assign(left, { [A]: [...a], [B]: [...b], [C]: [...c] });
      const answers = await Promise.all(numbers.map((each) => open(kem, ...each)));
      expect(answers).toEqual(numbers.map((each) => each.map(expected)));
    }),
    { numRuns: 15 },
  );
});
