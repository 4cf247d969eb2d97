import { createHash } from "node:crypto";

/** Milliseconds for which a request that the backend passes on to an issuer is approved. */
const APPROVAL_MS = 60_000;

/** Requests that the backend itself is asking an issuer to sign. */
export interface Approvals {
  readonly approve: (csrDer: Uint8Array, name: string) => void;
  /** For whom a request was approved, or undefined. */
  readonly nameOf: (csrDer: Uint8Array) => string | undefined;
}

/** Approvals in memory: what a dead process asked for, nobody waits for. */
export function createApprovals(now: () => number): Approvals {
  const approved = new Map<string, { readonly name: string; readonly untilMs: number }>();
  return {
    approve: (csrDer, name) => {
      for (const [digest, { untilMs }] of approved) if (untilMs <= now()) approved.delete(digest);
      approved.set(digestOf(csrDer), { name, untilMs: now() + APPROVAL_MS });
    },
    nameOf: (csrDer) => {
      const found = approved.get(digestOf(csrDer));
      return found !== undefined && found.untilMs > now() ? found.name : undefined;
    },
  };
}

function digestOf(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}
