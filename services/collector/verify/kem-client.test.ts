import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { encodeFrame, FrameReader, packResults, parseRequest, unpackItems } from "../../../custody/kem-frames.ts";
import { type CustodyState, createKemClient, type KemClient } from "./kem-client.ts";

const folder = mkdtempSync(join(tmpdir(), "kem-"));
const socketPath = join(folder, "kem.sock");
const ITEM = { keyId: Buffer.alloc(8, 1), encapsulatedKey: Buffer.alloc(32, 2) };
const SECRET = Buffer.alloc(32, 3);
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(socketPath, { force: true });
});

/** Custody as the answer function plays it; null answers nothing. */
async function custody(answer: (id: number, count: number, socket: Socket) => Uint8Array | null): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const reader = new FrameReader();
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      for (const body of reader.push(chunk as Buffer)) {
        const { id, items } = parseRequest(body);
        const frame = answer(id, unpackItems(items).length, socket);
        if (frame) socket.write(frame);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  closers.push(stop);
  return stop;
}

function client(states: CustodyState[] = []): KemClient {
  const created = createKemClient({ socketPath, onState: (state) => states.push(state) });
  closers.push(created.close);
  return created;
}

const opened = (id: number, count: number) => encodeFrame({ id, results: packResults(Array(count).fill(SECRET)) });
const plain = (results: readonly unknown[]) =>
  results.map((result) => (result instanceof Uint8Array ? Buffer.from(result) : result));

it("matches answers to requests whatever their order", async () => {
  let held: Uint8Array | undefined;
  await custody((id, count, socket) => {
    if (!held) {
      held = encodeFrame({ id, results: packResults(["unknown-key"]) });
      return null;
    }
    socket.write(opened(id, count));
    return held;
  });
  const kem = client();
  expect(
    await Promise.all([kem.open([ITEM]), kem.open([ITEM, ITEM])].map(async (results) => plain(await results))),
  ).toEqual([["unknown-key"], [SECRET, SECRET]]);
});

it("waits for custody that is not there yet, and asks again what died with it", async () => {
  const states: CustodyState[] = [];
  const kem = client(states);
  const answer = kem.open([ITEM]);
  let asked = 0;
  const stop = await custody((_, __, socket) => {
    asked += 1;
    socket.destroy();
    return null;
  });
  await expect.poll(() => asked).toBeGreaterThan(0);
  stop();
  rmSync(socketPath, { force: true });
  await custody(opened);
  expect(plain(await answer)).toEqual([SECRET]);
  expect(states).toContain("away");
  expect(states.at(-1)).toBe("ready");
});

it("waits while custody is sealed", async () => {
  const states: CustodyState[] = [];
  let sealed = 3;
  await custody((id, count) => (sealed-- > 0 ? encodeFrame({ id, error: "sealed" }) : opened(id, count)));
  expect(plain(await client(states).open([ITEM]))).toEqual([SECRET]);
  expect(states).toContain("sealed");
});

it.each([
  ["garbage", () => Buffer.from("not a frame of ours")],
  ["results for another number of items", (id: number) => opened(id, 2)],
])("takes no verdict from %s, and asks again", async (_, wrong) => {
  let first = true;
  await custody((id, count) => {
    if (!first) return opened(id, count);
    first = false;
    return wrong(id);
  });
  expect(plain(await client().open([ITEM]))).toEqual([SECRET]);
});

it("does not ask about an empty batch", async () => {
  expect(await client().open([])).toEqual([]);
});
