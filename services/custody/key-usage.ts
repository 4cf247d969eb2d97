import type { KemItem, KemResult } from "../../custody/kem.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";

/** Counts uses of keys, so that an auditor gets one event for each key and interval, and not one a message. */
export interface KeyUsage {
  readonly record: (items: readonly KemItem[], results: readonly KemResult[]) => void;
  /** Emits `KEY_USED` for what was counted since the last call. */
  readonly flush: () => void;
}

/** A use is a decapsulation with a key that custody holds, failed or not; an unknown key id uses none. */
export function createKeyUsage(events: Pick<SecurityEvents, "emit">): KeyUsage {
  const counts = new Map<string, Record<"opened" | "decapsulation-failed", number>>();
  return {
    record: (items, results) => {
      results.forEach((result, index) => {
        const item = items[index];
        if (result === "unknown-key" || !item) return;
        const keyId = Buffer.from(item.keyId).toString("hex");
        const count = counts.get(keyId) ?? { opened: 0, "decapsulation-failed": 0 };
        counts.set(keyId, count);
        count[typeof result === "string" ? result : "opened"] += 1;
      });
    },
    flush: () => {
      for (const [keyId, count] of counts)
        for (const reason of ["opened", "decapsulation-failed"] as const)
          if (count[reason] > 0) events.emit({ kind: "KEY_USED", object: keyId, reason, count: count[reason] });
      counts.clear();
    },
  };
}
