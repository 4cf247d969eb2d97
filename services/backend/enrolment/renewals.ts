import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { authorityOf } from "../fleet/contacts.ts";
import { fleetErrors } from "../fleet/errors.ts";

/** A gateway that wants its next certificate, by the one that it shows. */
export interface Renewing {
  readonly gateway: string;
  /** Milliseconds since the Unix epoch, both. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Of the authority's certificate behind the leaf, lower-case hex; null where none was sent. */
  readonly authoritySha256: string | null;
}

/** Bounds what gateways have certified for themselves: each certificate is a record that is kept for good. */
export interface Renewals {
  /**
   * Lets a gateway renew from half of its certificate's life, or at any time one whose authority is replaced, and each
   * {@link MAX_PER_HOUR} times in an hour.
   * @throws RENEWAL_EARLY, RENEWAL_LIMIT
   */
  readonly admit: (renewing: Renewing) => void;
}

/** What {@link createRenewals} works with. */
export interface RenewalsOptions {
  /** SHA-256 of the authorities whose leaves may stay, lower-case hex; none says nothing. */
  readonly authorities: () => readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** More than a gateway asks for that gets no answer: it waits from 15 s to 10 min between two attempts. */
export const MAX_PER_HOUR = 20;
const HOUR_MS = 3_600_000;

/** Renewals, counted in memory: what a restart forgets is an hour's. */
export function createRenewals({ authorities, now }: RenewalsOptions): Renewals {
  const admitted = new Map<string, readonly number[]>();
  return {
    admit: (renewing) => {
      const { gateway } = renewing;
      assertDue(renewing, authorities(), now());
      const recent = (admitted.get(gateway) ?? []).filter((at) => Math.abs(now() - at) < HOUR_MS);
      if (recent.length >= MAX_PER_HOUR)
        throw fleetErrors.error("RENEWAL_LIMIT", `${gateway} renewed ${recent.length} times within an hour`);
      admitted.set(gateway, [...recent, now()]);
    },
  };
}

function assertDue(
  { gateway, notBeforeMs, notAfterMs, authoritySha256 }: Renewing,
  authorities: readonly string[],
  nowMs: number,
): void {
  const halfMs = (notBeforeMs + notAfterMs) / 2;
  if (nowMs >= halfMs) return;
  const isReplaced = authorities.length > 0 && authoritySha256 !== null && !authorities.includes(authoritySha256);
  if (isReplaced) return;
  const from = new Date(halfMs).toISOString();
  throw fleetErrors.error("RENEWAL_EARLY", `the certificate of ${gateway} may be renewed from ${from}`);
}

/** What the client of a request shows, as {@link Renewing} says it. */
export function renewingOf(gateway: string, message: IncomingMessage): Renewing {
  const { valid_from, valid_to } = (message.socket as TLSSocket).getPeerCertificate();
  const authoritySha256 = authorityOf(message);
  return { gateway, notBeforeMs: Date.parse(valid_from), notAfterMs: Date.parse(valid_to), authoritySha256 };
}
