import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "pino";
import type { KemItem, KemResult } from "../../custody/backends/backend.ts";
import {
  encodeFrame,
  FrameReader,
  type KemResponse,
  packResults,
  parseRequest,
  unpackItems,
} from "../../custody/kem-frames.ts";
import { messageOf } from "../../shared/errors.ts";

/** What stands behind the KEM socket. */
export interface KemServerOptions {
  /** Opens a batch, or null while custody is sealed. */
  readonly open: (items: readonly KemItem[]) => Promise<readonly KemResult[] | null>;
  readonly log: Pick<Logger, "warn">;
}

/** A server for the KEM socket, not yet listening, with what it counted. */
export interface KemServer {
  readonly server: Server;
  readonly counters: Readonly<Record<"batches" | "items" | "sealed" | "malformedFrames", number>>;
  readonly close: () => Promise<void>;
}

const MAX_CONNECTIONS = 64;

/**
 * Answers batches, one after the other on each connection (so a client that does not read its answers is not read either).
 * A malformed frame closes its connection and no other.
 */
export function createKemServer({ open, log }: KemServerOptions): KemServer {
  const counters = { batches: 0, items: 0, sealed: 0, malformedFrames: 0 };
  const sockets = new Set<Socket>();

  async function answer(body: Uint8Array): Promise<KemResponse> {
    const { id, items: packed } = parseRequest(body);
    const items = unpackItems(packed);
    const results = await open(items);
    if (!results) {
      counters.sealed += 1;
      return { id, error: "sealed" };
    }
    counters.batches += 1;
    counters.items += items.length;
    return { id, results: packResults(results) };
  }

  async function serve(socket: Socket): Promise<void> {
    const reader = new FrameReader();
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const body of reader.push(chunk)) {
        if (!socket.write(encodeFrame(await answer(body)))) await once(socket, "drain");
      }
    }
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket).catch((thrown: unknown) => {
      socket.destroy();
      if ((thrown as { code?: unknown }).code === "CUSTODY_FRAME_MALFORMED") counters.malformedFrames += 1;
      log.warn({ reason: messageOf(thrown) }, "connection on the KEM socket closed");
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return {
    server,
    counters,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
