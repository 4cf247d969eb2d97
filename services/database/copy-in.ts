import { type Frame, frame, typeOf } from "./wire-frames.ts";

/** A COPY FROM STDIN whose data is collected before the engine sees any of it. */
export interface CopyIn {
  readonly binary: boolean;
  /** Takes a message of copy mode; true once the copy is complete. */
  readonly push: (message: Frame) => boolean;
  /** The COPY statement, its data and its end: what the engine is to be handed at once. */
  readonly messages: () => readonly Frame[];
}

/**
 * Follows every statement on its way to the engine. In copy mode it ends a COPY that was not seen coming, where the engine would wait for
 * data that cannot reach it, and die; everywhere else Postgres ignores it (protocol 3.0, section 53.2.6).
 */
export const COPY_GUARD = frame("f", "COPY FROM STDIN is served as a simple query of its own\0");

const COMMENTS = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/;
const COPY_FROM_STDIN = /^COPY\b[^;]*\bFROM\s+STDIN\b([^;]*)/i;

/** Begins a copy when the simple query is a COPY FROM STDIN. */
export function beginCopyIn(query: Frame, maxBytes: number): CopyIn | undefined {
  const text = query.toString("utf8", 5, 5 + 65_536).replace(COMMENTS, "");
  const options = COPY_FROM_STDIN.exec(text)?.[1];
  if (options === undefined) return undefined;
  let chunks: Frame[] = [];
  let size = 0;
  const take = (chunk: Frame): void => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else chunks = [];
  };
  let end: Frame = COPY_GUARD;
  return {
    binary: /\bbinary\b/i.test(options),
    push: (message) => {
      const type = typeOf(message);
      if (type === "d") take(message);
      if (type !== "c" && type !== "f") return false;
      end = size > maxBytes ? frame("f", `COPY data of ${size} bytes; accepted: ${maxBytes}\0`) : message;
      return true;
    },
    messages: () => [query, ...chunks, end, COPY_GUARD],
  };
}
