import type { z } from "zod";
import { mistakesOf } from "./config.ts";
import { runtimeErrors } from "./errors.ts";

/**
 * The body of a request as its schema wants it.
 * @throws HTTP_BODY_INVALID with all mistakes in one message
 */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw runtimeErrors.error("HTTP_BODY_INVALID", mistakesOf(parsed.error));
}
