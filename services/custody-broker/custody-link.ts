import { connect, type Socket } from "node:net";
import { kemErrors } from "../../custody/kem-errors.ts";
import {
  encodeFrame,
  FrameReader,
  type FrameRequest,
  type FrameResponse,
  parseResponse,
} from "../../custody/kem-frames.ts";
import { createBackoff } from "../runtime/backoff.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** A request, before it has a number. */
export type Question = WithoutId<FrameRequest>;

/** The way to the crypto service. */
export interface CustodyLink {
  /**
   * Asks once. What is late or lost is not asked again: the client does that.
   * @param limitMs how long the answer may take @default the link's own
   * @throws CUSTODY_KEM_UNAVAILABLE when nobody is there, or none answers in time
   */
  readonly ask: (question: Question, limitMs?: number) => Promise<FrameResponse>;
  readonly connected: () => boolean;
  readonly close: () => void;
}

/** What {@link createCustodyLink} needs. */
export interface CustodyLinkOptions {
  readonly socketPath: string;
  /** How long an answer may take, in milliseconds. @default 2000 */
  readonly limitMs?: number;
}

interface Asked {
  readonly resolve: (response: FrameResponse) => void;
  readonly reject: (reason: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Connects at once, and again whenever the connection ends. */
export function createCustodyLink({ socketPath, limitMs = 2000 }: CustodyLinkOptions): CustodyLink {
  const asked = new Map<number, Asked>();
  const backoff = createBackoff({ minMs: 20, maxMs: 250 });
  let nextId = 0;
  let closed = false;
  let socket = open();

  function open(): Socket {
    const reader = new FrameReader();
    const opened = connect(socketPath);
    opened.on("connect", backoff.reset);
    opened.on("data", (chunk: Buffer) => {
      try {
        for (const body of reader.push(chunk)) receive(parseResponse(body));
      } catch {
        // Whoever answers there is not custody as we know it.
        opened.destroy();
      }
    });
    // The reason is in "close" with all others: custody is away.
    opened.on("error", () => undefined);
    opened.on("close", () => {
      for (const id of asked.keys()) fail(id, "the crypto service went away");
      if (closed) return;
      setTimeout(() => {
        if (!closed) socket = open();
      }, backoff.next());
    });
    return opened;
  }

  function take(id: number): Asked | undefined {
    const found = asked.get(id);
    asked.delete(id);
    clearTimeout(found?.timer);
    return found;
  }

  function receive(response: FrameResponse): void {
    const found = take(response.id);
    if (found) found.resolve(response);
    // Too late: nobody gets these secrets.
    else if ("results" in response) response.results.fill(0);
  }

  function fail(id: number, why: string): void {
    take(id)?.reject(unavailable(why));
  }

  return {
    connected: () => socket.readyState === "open",
    ask: (question, ownLimitMs = limitMs) => {
      if (socket.readyState !== "open") return Promise.reject(unavailable("the crypto service is away"));
      const id = nextId++;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => fail(id, `the crypto service did not answer in ${ownLimitMs} ms`), ownLimitMs);
        asked.set(id, { resolve, reject, timer });
        socket.write(encodeFrame({ id, ...question }));
      });
    },
    close: () => {
      closed = true;
      socket.destroy();
    },
  };
}

function unavailable(why: string): Error {
  return kemErrors.error("CUSTODY_KEM_UNAVAILABLE", why);
}
