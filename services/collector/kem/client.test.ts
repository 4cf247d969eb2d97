import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { KemResult } from "../../../custody/kem.ts";
import { kemErrors, sealed } from "../../../custody/kem-errors.ts";
import { countItems, packResults } from "../../../custody/kem-items.ts";
import { kemStatus } from "../../../custody/kem-status.ts";
import { Kem, Use } from "../../../custody/proto/custody_pb.ts";
import { createGrpcServer } from "../../runtime/grpc/server.ts";
import { serveUnix } from "../../runtime/grpc/unix.ts";
import { createKemClient, type KemClient } from "./client.ts";
import type { CustodyState } from "./replica.ts";

const folder = mkdtempSync(join(tmpdir(), "kem-"));
const socketPath = join(folder, "kem.sock");
const ITEM = { keyId: Buffer.alloc(8, 1), encapsulatedKey: Buffer.alloc(32, 2) };
const SECRET = Buffer.alloc(32, 3);
const waiting = { timeout: 5000, interval: 5 };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(socketPath, { force: true });
});

interface Played {
  readonly answer?: (count: number) => Uint8Array | Promise<Uint8Array>;
  readonly health?: () => { sealed: boolean };
}

/** The broker as these functions play it. */
async function broker({ answer = opened, health = () => ({ sealed: false }) }: Played = {}): Promise<() => unknown> {
  const grpc = createGrpcServer({ maxMessageBytes: 50_000, statusOf: kemStatus });
  grpc.add(Kem, {
    decapsulate: async () => ({}),
    decapsulateBatch: async ({ use, items }) => {
      expect(use).toBe(Use.LIVE);
      return { results: await answer(countItems(items) ?? 0) };
    },
    health: async () => health(),
  });
  const close = await serveUnix(grpc, socketPath);
  closers.push(close);
  return close;
}

function client(states: CustodyState[] = []): KemClient {
  const created = createKemClient({
    custody: { kind: "unix", socket: socketPath },
    onState: (state) => states.push(state),
  });
  closers.push(created.close);
  return created;
}

const opened = (count: number): Uint8Array => packResults(Array(count).fill(SECRET));
const plain = (results: readonly KemResult[]) =>
  results.map((result) => (typeof result === "string" ? result : Buffer.from(result)));

/** Refuses so many times with what `refusal` makes, and answers then. */
function after(times: number, refusal: () => Error | Uint8Array): NonNullable<Played["answer"]> {
  return (count) => {
    if (times-- <= 0) return opened(count);
    const refused = refusal();
    if (refused instanceof Error) throw refused;
    return refused;
  };
}

it("gives each batch its own answer, whatever comes first", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await broker({ answer: (count) => (count === 1 ? held.then(() => packResults(["unknown-key"])) : opened(count)) });
  const kem = client();
  const first = kem.open([ITEM]);
  expect(plain(await kem.open([ITEM, ITEM]))).toEqual([SECRET, SECRET]);
  release();
  expect(plain(await first)).toEqual(["unknown-key"]);
});

it("knows how custody is before anything is to be opened, and when that changes", async () => {
  const states: CustodyState[] = [];
  client(states);
  await expect.poll(() => states.at(-1), waiting).toBe("away");
  let isSealed = true;
  await broker({ health: () => ({ sealed: isSealed }) });
  await expect.poll(() => states.at(-1), waiting).toBe("sealed");
  isSealed = false;
  await expect.poll(() => states.at(-1), waiting).toBe("ready");
});

it("waits for a broker that is not there yet, and asks again what died with it", async () => {
  const states: CustodyState[] = [];
  const kem = client(states);
  const answer = kem.open([ITEM]);
  let asked = 0;
  const stop = await broker({
    answer: () => {
      asked += 1;
      return new Promise(() => undefined);
    },
  });
  await expect.poll(() => asked, waiting).toBeGreaterThan(0);
  await stop();
  rmSync(socketPath, { force: true });
  await broker();
  expect(plain(await answer)).toEqual([SECRET]);
  expect(states).toContain("away");
  expect(states.at(-1)).toBe("ready");
});

it("waits while custody is sealed", async () => {
  const states: CustodyState[] = [];
  await broker({ answer: after(3, sealed), health: () => ({ sealed: true }) });
  const kem = client(states);
  await expect.poll(() => states.at(-1), waiting).toBe("sealed");
  expect(plain(await kem.open([ITEM]))).toEqual([SECRET]);
});

it("waits its turn where more is asked than may be, and does not call that away", async () => {
  const states: CustodyState[] = [];
  await broker({ answer: after(3, () => kemErrors.error("CUSTODY_KEM_RATE", "later")) });
  expect(plain(await client(states).open([ITEM]))).toEqual([SECRET]);
  expect(new Set(states)).toEqual(new Set(["ready"]));
});

it.each([
  ["an error that nobody knows", () => new Error("what")],
  ["a log that cannot be written", () => kemErrors.error("CUSTODY_KEM_UNAVAILABLE", "full")],
  ["results for another number of items", () => opened(2)],
  ["results with an unknown status", () => new Uint8Array(33).fill(3)],
  ["no results", () => new Uint8Array()],
])("takes no verdict from %s, and asks again", async (_, refusal) => {
  const states: CustodyState[] = [];
  await broker({ answer: after(1, refusal) });
  expect(plain(await client(states).open([ITEM]))).toEqual([SECRET]);
  expect(states).toContain("away");
});

it("does not ask about an empty batch", async () => {
  expect(await client().open([])).toEqual([]);
});
