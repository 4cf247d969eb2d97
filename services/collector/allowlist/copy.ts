import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { verifyAllowlist } from "../../../protocol/allowlist.ts";
import type { AllowlistDocument } from "../../../protocol/allowlist-document.ts";
import { writeFileAtomic } from "../../../shared/atomic-file.ts";
import { messageOf } from "../../../shared/errors.ts";
import { collectorErrors } from "../errors.ts";

/** The collector's own copy of its signed allowlist. */
export interface AllowlistCopy {
  /** The DSSE envelope in JSON, or null while there never was one. */
  readonly dsse: () => string | null;
  /** What it says, or null. */
  readonly document: () => AllowlistDocument | null;
  /** 0 while there is none. */
  readonly version: () => number;
  /**
   * Takes a newer copy, in memory and then on disk; true when it differs from the one held.
   * @throws DSSE_BAD_SIGNATURE, DSSE_MALFORMED, ALLOWLIST_AUDIENCE, ALLOWLIST_ROLLBACK, ALLOWLIST_MALFORMED; the copy held stays
   */
  readonly take: (dsse: string) => boolean;
}

/** Where the copy is, and who signs it. */
export interface AllowlistCopyOptions {
  readonly file: string;
  readonly backendKey: KeyObject;
  /** Told when the disk refuses the copy; revocations hold all the same, and the next `take` tries again. */
  readonly onUnwritten: (thrown: unknown) => void;
}

/**
 * Reads the copy that the last run left.
 * @throws COLLECTOR_ALLOWLIST_CORRUPT
 */
export function openAllowlistCopy({ file, backendKey, onUnwritten }: AllowlistCopyOptions): AllowlistCopy {
  const verify = (dsse: string, currentVersion: number): AllowlistDocument =>
    verifyAllowlist({ dsse, backendKey, audience: "collector", currentVersion }).document;
  let held = readIfThere(file);
  let onDisk = held;
  let document: AllowlistDocument | null = null;
  const version = (): number => document?.version ?? 0;
  try {
    if (held !== null) document = verify(held, 0);
  } catch (cause) {
    const message = `the copy does not verify: ${messageOf(cause)}`;
    throw collectorErrors.error("COLLECTOR_ALLOWLIST_CORRUPT", message, { path: file, cause });
  }

  function persist(): void {
    if (held === null || held === onDisk) return;
    try {
      writeFileAtomic(file, held);
      onDisk = held;
    } catch (thrown) {
      onUnwritten(thrown);
    }
  }

  return {
    dsse: () => held,
    document: () => document,
    version,
    take: (dsse) => {
      const changed = dsse !== held;
      if (changed) {
        document = verify(dsse, version());
        held = dsse;
      }
      persist();
      return changed;
    },
  };
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw collectorErrors.error("COLLECTOR_ALLOWLIST_CORRUPT", `cannot read the copy: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}
