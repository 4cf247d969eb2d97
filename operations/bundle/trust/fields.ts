import { z } from "zod";

/** `sha256:` and 64 hex digits. */
export const digestField = z.string().regex(/^sha256:[0-9a-f]{64}$/, "not sha256: and 64 hex digits");

/** Name of a tenant or a deployment, as manifests have it. */
export const nameField = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "not 1 to 63 of a-z, 0-9 and -");

/** RFC 3339, UTC, whole seconds. */
export const momentField = z.iso.datetime({ precision: 0 });

/** A moment as {@link momentField} has it; what is less than a second is left out. */
export function momentOf(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}
