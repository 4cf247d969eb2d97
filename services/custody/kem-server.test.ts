import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  encodeFrame,
  FrameReader,
  type FrameRequest,
  type FrameResponse,
  parseResponse,
} from "../../custody/kem-frames.ts";
import { listenUnix } from "../runtime/unix-socket.ts";
import { createKemServer, type KemServer } from "./kem-server.ts";

let folder: string;
let server: KemServer;
let answer: (request: FrameRequest) => Promise<FrameResponse>;
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-ks-"));
  answer = async ({ id }) => ({ id });
  server = createKemServer({ answer: (request) => answer(request), log: { warn: () => undefined } });
  await listenUnix(server.server, join(folder, "kem"));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

function open(): Socket {
  const socket = connect(join(folder, "kem")).on("error", () => undefined);
  sockets.push(socket);
  return socket;
}

/** The ids of the next answers, in the order in which they come. */
async function ids(socket: Socket, count: number): Promise<readonly number[]> {
  const reader = new FrameReader();
  const seen: number[] = [];
  while (seen.length < count) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    seen.push(...reader.push(chunk).map((body) => parseResponse(body).id));
  }
  return seen;
}
const frames = (...numbers: readonly number[]) => Buffer.concat(numbers.map((id) => encodeFrame({ id })));

describe("the KEM socket", () => {
  it("answers as it gets done, and not in the order of the questions", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    answer = async ({ id }) => {
      if (id === 1) await held;
      return { id };
    };
    const socket = open();
    socket.write(frames(1, 2, 3));
    expect(await ids(socket, 2)).toEqual([2, 3]);
    release();
    expect(await ids(socket, 1)).toEqual([1]);
  });

  it("has no more than so many questions of one connection under way", async () => {
    let [now, most] = [0, 0];
    answer = async ({ id }) => {
      now += 1;
      most = Math.max(most, now);
      await delay(1);
      now -= 1;
      return { id };
    };
    const socket = open();
    socket.write(frames(...Array(200).keys()));
    expect(await ids(socket, 200)).toHaveLength(200);
    expect(most).toBe(32);
  });

  it("stops reading whom it cannot answer", async () => {
    let asked = 0;
    const results = new Uint8Array(33 * 1024);
    answer = async ({ id }) => {
      asked += 1;
      return { id, results };
    };
    const deaf = open();
    deaf.pause();
    deaf.write(frames(...Array(2000).keys()));
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(0);
    for (let before = 0; before !== asked; await delay(100)) before = asked;
    expect(asked).toBeLessThan(500);
    const other = open();
    other.write(frames(1));
    expect(await ids(other, 1)).toEqual([1]);
  });

  it("serves 8 connections, turns the next away, and serves one more when one of them has gone", async () => {
    const served = Array.from({ length: 8 }, open);
    for (const socket of served) {
      socket.write(frames(1));
      expect(await ids(socket, 1)).toEqual([1]);
    }
    const ninth = open();
    const heard = await new Promise((resolve) => {
      ninth.once("data", () => resolve("an answer")).once("close", () => resolve("the end"));
      ninth.write(frames(1));
    });
    expect(heard).toBe("the end");
    const gone = served[0]!;
    gone.end();
    await once(gone, "close");
    const next = open();
    next.write(frames(2));
    expect(await ids(next, 1)).toEqual([2]);
  });

  it.each([
    ["garbage", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a frame of 4 GiB", Buffer.of(255, 255, 255, 255, 0)],
    ["a frame that is no request", Buffer.of(0, 0, 0, 1, 0xf6)],
  ])("closes the connection that sent %s, and no other", async (_, bytes) => {
    const [good, bad] = [open(), open()];
    const closed = once(bad, "close");
    bad.write(bytes);
    await closed;
    good.write(frames(1));
    expect(await ids(good, 1)).toEqual([1]);
    expect(server.counters.malformedFrames).toBe(1);
  });

  it("outlives whoever sends half a frame, or goes before the answer", async () => {
    open().write(Buffer.of(0, 0));
    const gone = open();
    gone.write(frames(1), () => gone.destroy());
    await delay(20);
    const socket = open();
    socket.write(frames(7));
    expect(await ids(socket, 1)).toEqual([7]);
    expect(server.counters.malformedFrames).toBe(0);
  });
});
