import { looksLikeSecret } from "../../shared/secret-text.ts";

/** Longest text of a member, in UTF-16 code units. */
const MAX_TEXT = 2_000;

/** What stands for a text that looks like a secret. */
export const LEFT_OUT = "left out: it looks like a secret";

/**
 * A text as a signed file may have it: on one line, of bounded length, without control characters or characters that turn the direction
 * of reading, and nothing that looks like a secret.
 */
export function plainText(text: string): string {
  if (looksLikeSecret(text)) return LEFT_OUT;
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ").trim();
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT - 2).trimEnd()} …`;
}

/** Every text in a value, made plain; what is undefined is left out. */
export function plainTexts<T>(value: T): T {
  return made(value) as T;
}

function made(value: unknown): unknown {
  if (typeof value === "string") return plainText(value);
  if (Array.isArray(value)) return value.map(made);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, made(member)]));
}
