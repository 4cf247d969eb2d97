import { isRandom, looksLikeSecret } from "../../../../shared/secret-text.ts";
import { PATH, SECRET_NAME } from "../../../../stacks/docker/check/access-rules.ts";

/** Why `NAME=value` looks like a secret; undefined where it does not. */
export function secretIn(variable: string): string | undefined {
  const at = variable.indexOf("=");
  const [name, value] = at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
  if (value.includes("-----BEGIN")) return "holds PEM";
  if (looksLikeSecret(value)) return "holds what looks like a key or a token";
  if (value === "" || value.split(":").every((part) => PATH.test(part))) return undefined;
  if (SECRET_NAME.test(name)) return "is named like a secret, and holds a value";
  return isRandom(value) ? "holds what looks like a key or a token" : undefined;
}
