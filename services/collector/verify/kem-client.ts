import { connect, type Socket } from "node:net";
import type { KemItem, KemResult } from "../../../custody/backends/backend.ts";
import { encodeFrame, FrameReader, packItems, parseResponse, unpackResults } from "../../../custody/kem-frames.ts";
import { createBackoff } from "../../runtime/backoff.ts";

/** How custody is, as seen from here. */
export type CustodyState = "ready" | "sealed" | "away";

/** Opens KEM ciphertexts by custody's socket. */
export interface KemClient {
  /** One result for each item, in order. Waits as long as custody is sealed or away; opening twice does no harm. */
  readonly open: (items: readonly KemItem[]) => Promise<readonly KemResult[]>;
  readonly close: () => void;
}

/** What {@link createKemClient} needs. */
export interface KemClientOptions {
  readonly socketPath: string;
  /** Told whenever the state changes. */
  readonly onState: (state: CustodyState) => void;
}

interface Pending {
  readonly frame: Uint8Array;
  readonly count: number;
  readonly resolve: (results: readonly KemResult[]) => void;
}

/** A client that connects at once, and again whenever the connection ends; what was not answered is asked again. */
export function createKemClient({ socketPath, onState }: KemClientOptions): KemClient {
  const pending = new Map<number, Pending>();
  const backoff = createBackoff({ minMs: 20, maxMs: 1000 });
  let nextId = 0;
  let state: CustodyState | undefined;
  let closed = false;
  let socket = open();

  function setState(next: CustodyState): void {
    if (next === state) return;
    state = next;
    onState(next);
  }

  function open(): Socket {
    const reader = new FrameReader();
    const opened = connect(socketPath);
    opened.on("connect", () => {
      setState("ready");
      for (const { frame } of pending.values()) opened.write(frame);
    });
    opened.on("data", (chunk: Buffer) => {
      try {
        for (const body of reader.push(chunk)) receive(body);
      } catch {
        // Whoever answers there is not custody as we know it; what was asked is asked again.
        opened.destroy();
      }
    });
    // The reason is in "close" with all others: custody is away.
    opened.on("error", () => undefined);
    opened.on("close", () => {
      if (closed) return;
      setState("away");
      setTimeout(() => {
        if (!closed) socket = open();
      }, backoff.next());
    });
    return opened;
  }

  function receive(body: Uint8Array): void {
    const response = parseResponse(body);
    const asked = pending.get(response.id);
    if (!asked) return;
    if ("error" in response) {
      setState("sealed");
      setTimeout(() => {
        if (!closed && !socket.connecting && pending.has(response.id)) socket.write(asked.frame);
      }, backoff.next());
      return;
    }
    const results = unpackResults(response.results, asked.count);
    backoff.reset();
    setState("ready");
    pending.delete(response.id);
    asked.resolve(results);
  }

  return {
    open: (items) => {
      if (items.length === 0) return Promise.resolve([]);
      const id = nextId++;
      return new Promise((resolve) => {
        const frame = encodeFrame({ id, items: packItems(items) });
        pending.set(id, { frame, count: items.length, resolve });
        if (socket.readyState === "open") socket.write(frame);
      });
    },
    close: () => {
      closed = true;
      socket.destroy();
    },
  };
}
