import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "pino";
import {
  encodeFrame,
  FrameReader,
  type FrameRequest,
  type FrameResponse,
  parseRequest,
} from "../../custody/kem-frames.ts";
import { messageOf } from "../../shared/errors.ts";

/** What stands behind the KEM socket. */
export interface KemServerOptions {
  /** Never rejects: whatever keeps custody from answering is an answer. */
  readonly answer: (request: FrameRequest) => Promise<FrameResponse>;
  readonly log: Pick<Logger, "warn">;
}

/** A server for the KEM socket, not yet listening, with what it counted. */
export interface KemServer {
  readonly server: Server;
  readonly counters: Readonly<Record<"malformedFrames", number>>;
  readonly close: () => Promise<void>;
}

/** The broker has one, and opens another when it starts anew. */
const MAX_CONNECTIONS = 8;

/** Requests of one connection under way: enough that one write of the audit log serves many. */
const MAX_AT_ONCE = 32;

/**
 * Answers frames as they are done, in any order. A client that does not read its answers is not read either. A malformed frame
 * closes its connection and no other.
 */
export function createKemServer({ answer, log }: KemServerOptions): KemServer {
  const counters = { malformedFrames: 0 };
  const sockets = new Set<Socket>();

  async function serve(socket: Socket, closed: AbortSignal): Promise<void> {
    const reader = new FrameReader();
    const underWay = new Set<Promise<void>>();
    const reply = async (request: FrameRequest): Promise<void> => {
      const frame = encodeFrame(await answer(request));
      socket.write(frame, () => frame.fill(0));
    };
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const body of reader.push(chunk)) {
        const done = reply(parseRequest(body)).finally(() => underWay.delete(done));
        underWay.add(done);
        if (underWay.size >= MAX_AT_ONCE) await Promise.race(underWay);
        if (socket.writableNeedDrain) await once(socket, "drain", { signal: closed });
      }
    }
  }

  const server = createServer((socket) => {
    const closed = new AbortController();
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      closed.abort();
    });
    serve(socket, closed.signal).catch((thrown: unknown) => {
      if (closed.signal.aborted) return;
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
