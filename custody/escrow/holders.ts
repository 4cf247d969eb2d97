import { escrowErrors } from "./errors.ts";

/** Who runs what a holder's share is kept with. */
export const HOLDER_OPERATORS = ["customer", "trustkern", "partner"] as const;

/** One of {@link HOLDER_OPERATORS}. */
export type HolderOperator = (typeof HOLDER_OPERATORS)[number];

/** Somebody who keeps one share. */
export interface Holder {
  /** 1 to 32 of `a-z 0-9 -`, without a hyphen at either end: it stands in file names. */
  readonly name: string;
  readonly operator: HolderOperator;
  /** age recipient (`age1…`) that the share is encrypted to. @default the share is printed */
  readonly recipient?: string | undefined;
}

/** M of N. */
export interface Quorum {
  /** Shares that restore, 2..255. */
  readonly threshold: number;
  /** In the order of the shares' numbers, threshold..255 of them. */
  readonly holders: readonly Holder[];
}

/** Most shares that a polynomial over GF(2^8) has points for. */
const MOST = 255;
const LONGEST_NAME = 32;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/**
 * Refuses a quorum that no escrow can have.
 * @throws CUSTODY_ESCROW_QUORUM, CUSTODY_ESCROW_HOLDER
 */
export function assertQuorum({ threshold, holders }: Quorum): void {
  const total = holders.length;
  if (!Number.isInteger(threshold) || threshold < 2 || total > MOST || threshold > total) {
    const message = `${threshold} of ${total} shares; accepted: a threshold of 2 to the number of holders, and ${MOST} holders at most`;
    throw escrowErrors.error("CUSTODY_ESCROW_QUORUM", message, { path: "custody.escrow" });
  }
  const [names, recipients] = [new Set<string>(), new Set<string>()];
  for (const { name, operator, recipient } of holders) {
    if (!NAME.test(name)) throw refused(name, "is not 1 to 32 of a-z 0-9 - without one at either end");
    if (!HOLDER_OPERATORS.includes(operator)) {
      throw refused(name, `is of "${operator}"; accepted: ${HOLDER_OPERATORS.join(", ")}`);
    }
    if (names.has(name)) throw refused(name, "is named twice");
    // Two shares that one identity opens are one holder's.
    if (recipient !== undefined && recipients.has(recipient)) throw refused(name, "has another holder's recipient");
    names.add(name);
    if (recipient !== undefined) recipients.add(recipient);
  }
}

function refused(name: string, why: string): Error {
  // What is too long for a name may be an identity.
  const shown = name.length > LONGEST_NAME ? `with ${name.length} characters` : JSON.stringify(name);
  return escrowErrors.error("CUSTODY_ESCROW_HOLDER", `the holder ${shown} ${why}`, { path: "custody.escrow.holders" });
}
