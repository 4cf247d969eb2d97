import { beginCopyIn, COPY_GUARD, type CopyIn } from "./copy-in.ts";
import { createSessionState, type SessionState } from "./session-state.ts";
import { type Frame, typeOf } from "./wire-frames.ts";

/** A client as the multiplexer sees it. */
export interface LaneOptions {
  readonly role: string;
  /** Settings of the startup packet. */
  readonly settings: ReadonlyMap<string, string>;
  readonly maxCopyBytes: number;
  /** Takes the engine's answers. */
  readonly answer: (bytes: Buffer) => void;
  /** Ends the client for a reason of an SQLSTATE and a text. */
  readonly expel: (sqlState: string, message: string) => void;
}

/** Messages that go to the engine in one call. */
export interface Request {
  readonly messages: readonly Frame[];
  readonly copy: CopyIn | undefined;
  /** The answer ends with ReadyForQuery. */
  readonly complete: boolean;
}

/** One client's messages on their way to the engine. */
export interface Lane extends Pick<LaneOptions, "role" | "answer" | "expel"> {
  readonly state: SessionState;
  readonly push: (frames: readonly Frame[]) => void;
  /** The next request, when one is complete. */
  readonly take: () => Request | undefined;
  readonly hasRequest: () => boolean;
  /** Bytes of the requests that wait; a COPY that is not complete does not count. */
  readonly pendingBytes: () => number;
  /** The COPY that waits for nothing but its data, once: it is time to send CopyInResponse. */
  readonly copyToAnnounce: () => CopyIn | undefined;
  readonly clear: () => void;
}

/** Sorts a client's messages into requests. */
export function createLane({ role, settings, maxCopyBytes, answer, expel }: LaneOptions): Lane {
  let requests: Request[] = [];
  let copying: { query: Frame; copy: CopyIn; announced: boolean } | undefined;

  const pushCopy = (message: Frame): void => {
    if (!copying?.copy.push(message)) return;
    requests.push({ messages: [copying.query], copy: copying.copy, complete: true });
    copying = undefined;
  };
  return {
    role,
    answer,
    expel,
    state: createSessionState(settings),
    push: (frames) => {
      let open: Frame[] = [];
      const close = (complete: boolean): void => {
        if (open.length > 0) requests.push({ messages: open, copy: undefined, complete });
        open = [];
      };
      for (const message of frames) {
        const type = typeOf(message);
        if (copying) {
          pushCopy(message);
          continue;
        }
        const copy = type === "Q" ? beginCopyIn(message, maxCopyBytes) : undefined;
        if (copy) {
          close(false);
          copying = { query: message, copy, announced: false };
          continue;
        }
        open.push(message);
        if (type === "Q" || type === "E") open.push(COPY_GUARD);
        if (type === "Q" || type === "S" || type === "F") close(true);
      }
      close(false);
    },
    take: () => requests.shift(),
    hasRequest: () => requests.length > 0,
    pendingBytes: () =>
      requests.reduce((sum, { messages }) => sum + messages.reduce((all, { length }) => all + length, 0), 0),
    copyToAnnounce: () => {
      if (!copying || copying.announced || requests.length > 0) return undefined;
      copying.announced = true;
      return copying.copy;
    },
    clear: () => {
      requests = [];
      copying = undefined;
    },
  };
}
