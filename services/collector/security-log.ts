import type { SecurityEventKind } from "../../shared/security-event.ts";
import type { SecurityEventInput, SecurityEvents } from "../runtime/security-events.ts";

/** What one rejected or dropped message adds. */
export interface Occurrence {
  readonly kind: Extract<SecurityEventKind, "INGEST_REJECTED" | "RATE_LIMIT_EXCEEDED">;
  /** Name of the gateway. */
  readonly actor: string;
  /** Sensor id of the topic. */
  readonly object: string;
  /** The verdict, or why it was dropped. */
  readonly reason: string;
  /** SHA-256 of the envelope in hex, where it is known. */
  readonly digest: string | null;
}

/** Security events of the intake: those alike within one interval are one event with a count, so that a flood cannot fill the log. */
export interface SecurityLog {
  readonly record: (occurrence: Occurrence) => void;
  readonly flush: () => void;
}

/** Different events in one interval, of all gateways; what goes beyond is counted by gateway and reason alone. */
const MAX_GROUPS = 50;

/** Collects until {@link SecurityLog.flush}. */
export function createSecurityLog(events: Pick<SecurityEvents, "emit">): SecurityLog {
  const groups = new Map<string, SecurityEventInput & { count: number; correlationId: string | null }>();
  return {
    record: ({ kind, actor, reason, ...occurrence }) => {
      const own = `${kind} ${actor} ${reason} ${occurrence.object}`;
      const crowded = groups.size >= MAX_GROUPS && !groups.has(own);
      const object = crowded ? "*" : occurrence.object;
      const key = crowded ? `${kind} ${actor} ${reason} *` : own;
      const group = groups.get(key);
      if (!group) groups.set(key, { kind, actor, object, reason, count: 1, correlationId: occurrence.digest });
      else {
        group.count += 1;
        // An event that stands for several envelopes names none of them.
        if (group.correlationId !== occurrence.digest) group.correlationId = null;
      }
    },
    flush: () => {
      for (const event of groups.values()) events.emit(event);
      groups.clear();
    },
  };
}
