import { z } from "zod";
import { plainText } from "./plain-text.ts";

/** A text on one line without anything that looks like a secret; may be empty. */
export const text = z.string().refine((value) => value === plainText(value), "is not a plain text");

/** {@link text}, with something in it. */
export const word = text.refine((value) => value.length > 0, "is empty");

/** SHA-256 in lower-case hex. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** RFC 3339, UTC, milliseconds; a day and an hour that there are. */
export const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .refine((value) => {
    const instant = new Date(value);
    return !Number.isNaN(instant.getTime()) && instant.toISOString() === value;
  }, "is no time");

/** An error's code. */
export const code = z.string().regex(/^[A-Z][A-Z0-9_]+$/);
