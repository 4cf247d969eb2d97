import type { SecurityEventInput } from "../runtime/security-events.ts";

/** Lets the first of many alike through at once, and the rest as one event with their number. */
export interface EventLimiter {
  readonly report: (event: SecurityEventInput) => void;
  /** Emits what was held back since the last call; call it once in a window of time. */
  readonly flush: () => void;
}

/** Alike are events of one kind, actor, address and reason; of more than `maxKeys` such groups, actor and address are left out. */
export function createEventLimiter(emit: (event: SecurityEventInput) => void, maxKeys = 256): EventLimiter {
  const groups = new Map<string, { readonly event: SecurityEventInput; held: number }>();
  return {
    report: (event) => {
      const known = (each: SecurityEventInput) => groups.get(keyOf(each));
      const kept = known(event) !== undefined || groups.size < maxKeys ? event : anonymous(event);
      const group = known(kept);
      if (group === undefined) {
        groups.set(keyOf(kept), { event: kept, held: 0 });
        emit(kept);
      } else {
        group.held += 1;
      }
    },
    flush: () => {
      for (const [key, group] of groups) {
        if (group.held === 0) groups.delete(key);
        else emit({ ...group.event, count: group.held });
        group.held = 0;
      }
    },
  };
}

function keyOf({ kind, actor, sourceAddress, reason }: SecurityEventInput): string {
  return [kind, actor, sourceAddress, reason].join("\n");
}

function anonymous({ kind, reason }: SecurityEventInput): SecurityEventInput {
  return { kind, reason, object: "many", actor: "many" };
}
