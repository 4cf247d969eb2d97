import type { SecurityEventInput } from "./security-events.ts";

/** Lets the first of many alike through at once, and the rest as one event with their number, so that a flood cannot fill the log. */
export interface EventLimiter {
  readonly report: (event: SecurityEventInput) => void;
  /** Emits what was held back since the last call; call it once in a window of time. */
  readonly flush: () => void;
}

/** Stands for what differs among the events that one event stands for. */
const MANY = "many";

/**
 * Alike are events of one kind, actor, address and reason; of more than `maxKeys` such groups, actor and address are left
 * out. An event that stands for several names the object and the correlation id that all of them share, or none.
 */
export function createEventLimiter(emit: (event: SecurityEventInput) => void, maxKeys = 256): EventLimiter {
  /** Groups of this window, with what is held back of each. */
  const groups = new Map<string, SecurityEventInput | null>();
  return {
    report: (event) => {
      const kept = groups.has(keyOf(event)) || groups.size < maxKeys ? event : anonymous(event);
      const key = keyOf(kept);
      const held = groups.get(key);
      if (held === undefined) emit(kept);
      groups.set(key, held === undefined ? null : held === null ? kept : merged(held, kept));
    },
    flush: () => {
      for (const [key, held] of groups) {
        if (held === null) groups.delete(key);
        else {
          emit(held);
          groups.set(key, null);
        }
      }
    },
  };
}

function keyOf({ kind, actor, sourceAddress, reason }: SecurityEventInput): string {
  return [kind, actor, sourceAddress, reason].join("\n");
}

function anonymous({ kind, reason, count = 1 }: SecurityEventInput): SecurityEventInput {
  return { kind, reason, count, object: MANY, actor: MANY };
}

function merged(held: SecurityEventInput, event: SecurityEventInput): SecurityEventInput {
  const object = held.object === event.object ? held.object : MANY;
  const correlationId = held.correlationId === event.correlationId ? held.correlationId : null;
  return {
    ...held,
    object,
    ...(correlationId !== undefined && { correlationId }),
    count: countOf(held) + countOf(event),
  };
}

const countOf = ({ count = 1 }: SecurityEventInput): number => count;
