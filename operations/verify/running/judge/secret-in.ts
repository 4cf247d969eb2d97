import { PATH, SECRET_NAME } from "../../../../stacks/docker/check/access-rules.ts";

/** A run of characters as keys and tokens have them. */
const RUN = /[A-Za-z0-9+/_=-]{24,}/g;

/** Bits for each character above which a run with a digit in it is nobody's word: hex has at most 4, base64 6; text has about 3. */
const BITS = 3.6;

/** Why `NAME=value` looks like a secret; undefined where it does not. */
export function secretIn(variable: string): string | undefined {
  const at = variable.indexOf("=");
  const [name, value] = at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
  if (value.includes("-----BEGIN")) return "holds PEM";
  if (value === "" || value.split(":").every((part) => PATH.test(part))) return undefined;
  if (SECRET_NAME.test(name)) return "is named like a secret, and holds a value";
  const random = (value.match(RUN) ?? []).some((run) => /\d/.test(run) && bitsOf(run) > BITS);
  return random ? "holds what looks like a key or a token" : undefined;
}

/** Entropy of a text's characters, in bits for each (C. E. Shannon, 1948). */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, many) => bits - (many / text.length) * Math.log2(many / text.length), 0);
}
