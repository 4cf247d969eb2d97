import type { Logger } from "pino";
import type { SecurityEvent, SecurityEventKind } from "../../shared/security-event.ts";

/** What a caller says of an event; the rest is filled in. */
export interface SecurityEventInput {
  readonly kind: SecurityEventKind;
  readonly object: string;
  readonly reason: string;
  /** @default the component's name */
  readonly actor?: string;
  /** @default null */
  readonly sourceAddress?: string | null;
  /** @default 1 */
  readonly count?: number;
  /** @default null */
  readonly correlationId?: string | null;
}

/** Where a service reports security events. */
export interface SecurityEvents {
  /** Logs the event as `{"event":{…}}` and hands it to every listener. */
  readonly emit: (input: SecurityEventInput) => void;
  readonly onEvent: (listener: (event: SecurityEvent) => void) => void;
}

/** Surroundings of {@link createSecurityEvents}. */
export interface SecurityEventsOptions {
  readonly name: string;
  readonly tenant: string;
  readonly log: Pick<Logger, "info">;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** The security events of one service. */
export function createSecurityEvents({ name, tenant, log, now }: SecurityEventsOptions): SecurityEvents {
  const listeners: ((event: SecurityEvent) => void)[] = [];
  return {
    emit: (input) => {
      const defaults = { actor: name, sourceAddress: null, count: 1, correlationId: null };
      const event: SecurityEvent = { time: new Date(now()).toISOString(), tenant, ...defaults, ...input };
      log.info({ event }, "security event");
      for (const listener of listeners) listener(event);
    },
    onEvent: (listener) => {
      listeners.push(listener);
    },
  };
}
