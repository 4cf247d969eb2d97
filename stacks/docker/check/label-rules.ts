import type { Finding } from "../../../shared/finding.ts";
import { blocks, finding, misshapen, named, onceEach, type RenderedCode, strangers } from "./subject.ts";

/**
 * The labels are exactly `accepted`, each of them once: by them the life cycle finds what it may replace and remove. No
 * value is in a finding, since a label that does not belong could hold anything.
 */
export function checkLabels(
  code: RenderedCode,
  value: unknown,
  accepted: Readonly<Record<string, string>>,
  path: string,
): readonly Finding[] {
  const given = blocks(value);
  if (given === undefined) return misshapen(path, "a list of labels", value);
  const wrong = given.flatMap((block, index) => {
    const at = `${path}[${index}]`;
    const name = String(block.label);
    const right = Object.hasOwn(accepted, name) ? accepted[name] : undefined;
    return [
      ...strangers(block, ["label", "value"], at),
      ...(right !== undefined && block.label === name && block.value === right
        ? []
        : [finding(code, at, `${named(block.label)} has another value; accepted: ${named(right)}`)]),
    ];
  });
  const names = given.map(({ label }) => String(label));
  return [...wrong, ...onceEach(code, path, names, Object.keys(accepted))];
}
