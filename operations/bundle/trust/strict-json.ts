import type { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";

/**
 * A document out of bytes that have to be the very ones that it is rendered as: another order, a member twice or a space more is refused.
 * @param refuse makes the error
 */
export function strictJson<T>(schema: z.ZodType<T>, bytes: Uint8Array, refuse: (why: string) => Error): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw refuse("it is not JSON in UTF-8");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw refuse(firstIssue(parsed.error));
  if (!Buffer.from(stableJson(parsed.data)).equals(bytes))
    throw refuse("it is not in the form in which it was written");
  return parsed.data;
}

/** What is wrong first, and where. */
export function firstIssue({ issues: [first] }: z.ZodError): string {
  return `"${first?.path.join(".") ?? ""}": ${first?.message ?? "is wrong"}`;
}
