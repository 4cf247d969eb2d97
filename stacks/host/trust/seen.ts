import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import { writePrivate } from "../files.ts";
import { trustErrors } from "./errors.ts";

const seenSchema = z.strictObject({ version: z.int().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** The newest manifest that this host has seen. */
export type Seen = z.infer<typeof seenSchema>;

/** A manifest's version, and SHA-256 of the bytes that are signed. */
export function seenOf(version: number, payload: Uint8Array): Seen {
  return { version, sha256: createHash("sha256").update(payload).digest("hex") };
}

/**
 * What was remembered, or undefined where nothing was.
 * @throws START_STATE_CORRUPT
 */
export function readSeen(path: string): Seen | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return seenSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw trustErrors.error("START_STATE_CORRUPT", "the file does not say which start manifest was the newest", {
      path,
    });
  }
}

/**
 * Remembers a manifest: no older one counts from then on.
 * @throws STATE_UNWRITABLE
 */
export function writeSeen(path: string, seen: Seen): void {
  writePrivate(path, `${stableJson(seen)}\n`);
}
