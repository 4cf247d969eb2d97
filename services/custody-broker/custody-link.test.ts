import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  encodeFrame,
  FrameReader,
  type FrameRequest,
  type FrameResponse,
  parseRequest,
} from "../../custody/kem-frames.ts";
import { type CustodyLink, createCustodyLink } from "./custody-link.ts";

let folder: string;
let link: CustodyLink;
const closers: (() => void)[] = [];
const at = (): string => join(folder, "kem");
const away = { code: "CUSTODY_KEM_UNAVAILABLE" };
const waiting = { timeout: 5000, interval: 5 };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-cl-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) close();
  rmSync(folder, { recursive: true });
});

type Answer = (request: FrameRequest, socket: Socket) => FrameResponse | undefined;

/** Custody as this function plays it. */
async function custody(answer: Answer): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const reader = new FrameReader();
    socket
      .on("error", () => undefined)
      .on("data", (chunk: Buffer) => {
        for (const body of reader.push(chunk)) {
          const response = answer(parseRequest(body), socket);
          if (response) socket.write(encodeFrame(response));
        }
      });
  });
  await new Promise<void>((resolve) => server.listen(at(), resolve));
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  closers.push(stop);
  return stop;
}

async function open(limitMs = 2000): Promise<void> {
  link = createCustodyLink({ socketPath: at(), limitMs });
  closers.push(link.close);
}
const connected = () => expect.poll(() => link.connected(), waiting).toBe(true);

describe("the way to custody", () => {
  it("gives each question its answer, whatever their order", async () => {
    const held: FrameRequest[] = [];
    await custody((request, socket) => {
      held.push(request);
      if (held.length < 2) return undefined;
      for (const { id } of held.toReversed()) socket.write(encodeFrame({ id, results: new Uint8Array(33).fill(id) }));
      return undefined;
    });
    await open();
    await connected();
    const [first, second] = await Promise.all([link.ask({}), link.ask({})]);
    expect([first, second]).toMatchObject([{ results: new Uint8Array(33) }, { results: new Uint8Array(33).fill(1) }]);
  });

  it("does not wait where nobody is, and finds whoever comes", async () => {
    await open();
    await expect(link.ask({})).rejects.toMatchObject(away);
    await custody(({ id }) => ({ id }));
    await connected();
    expect(await link.ask({})).toEqual({ id: 0 });
  });

  it("waits for an answer no longer than it may", async () => {
    await custody(() => undefined);
    await open(50);
    await connected();
    await expect(link.ask({})).rejects.toMatchObject(away);
  });

  it("leaves nothing of secrets that come too late, and wipes none that are in time", async () => {
    let late: (() => void) | undefined;
    const results = new Uint8Array(33).fill(0x5a);
    await custody(({ id }, socket) => {
      if (late) return { id, results };
      late = () => socket.write(encodeFrame({ id, results }));
      return undefined;
    });
    await open(300);
    await connected();
    await expect(link.ask({})).rejects.toMatchObject(away);
    const fill = vi.spyOn(Uint8Array.prototype, "fill");
    const wiped = () => (fill.mock.contexts as readonly Uint8Array[]).filter(({ length }) => length === results.length);
    late?.();
    await expect.poll(wiped, waiting).toEqual([new Uint8Array(33)]);
    expect(await link.ask({})).toMatchObject({ results });
    expect(wiped()).toHaveLength(1);
  });

  it("fails at once what was asked of a custody that died, and goes on with the next one", async () => {
    const stop = await custody((_, socket) => {
      socket.destroy();
      return undefined;
    });
    await open();
    await connected();
    await expect(link.ask({})).rejects.toMatchObject(away);
    stop();
    rmSync(at(), { force: true });
    await custody(({ id }) => ({ id }));
    await connected();
    await expect(link.ask({})).resolves.toMatchObject({});
  });

  it("trusts nobody who answers with something else, or a question that was not asked", async () => {
    let first = true;
    await custody(({ id }, socket) => {
      if (first) socket.write(encodeFrame({ id: 99 }));
      if (first) socket.write(Buffer.from("not a frame of ours"));
      first = false;
      return { id };
    });
    await open();
    await connected();
    await link.ask({}).catch((thrown) => expect(thrown).toMatchObject(away));
    await connected();
    await expect.poll(() => link.ask({}).catch(() => null), waiting).not.toBeNull();
  });
});
