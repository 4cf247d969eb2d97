import { mosquittoErrors } from "./errors.ts";

/**
 * Refuses values that do not match their pattern, all of them in one report: Mosquitto's files have one setting a line and
 * neither quotes nor escapes, so that a line break in a value would be a setting of its own.
 * @throws MOSQUITTO_VALUE_INVALID
 */
export function assertLines(values: Readonly<Record<string, readonly [value: string, pattern: RegExp]>>): void {
  const wrong = Object.entries(values).filter(([, [value, pattern]]) => !pattern.test(value) || /[\r\n\0]/.test(value));
  if (wrong.length === 0) return;
  const mistakes = wrong.map(
    ([name, [value, pattern]]) => `"${name}" is ${JSON.stringify(value)}, accepted: ${pattern}`,
  );
  throw mosquittoErrors.error("MOSQUITTO_VALUE_INVALID", mistakes.join("; "), { path: wrong[0]?.[0] });
}
