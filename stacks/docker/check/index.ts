import type { Finding } from "../../../shared/finding.ts";
import { checkResources } from "./resources.ts";
import { checkTerraform } from "./stack-rules.ts";
import { type CheckContext, finding, isAttributes, misshapen } from "./subject.ts";
import { checkTexts } from "./text-rules.ts";

const ELEMENTS = ["//", "provider", "resource", "terraform"];

/**
 * Reads a synthesised stack as any other text from outside, and names everything in it that grants more than the model: in its
 * head, and in its resources.
 */
export function checkRendered(json: unknown, context: CheckContext): readonly Finding[] {
  if (!isAttributes(json)) return misshapen("the stack", "an object", json);
  const { resource = {}, ...head } = json;
  return [
    ...Object.keys(head)
      .filter((name) => !ELEMENTS.includes(name))
      .map((name) => finding("RENDERED_ELEMENT", name, `accepted: ${ELEMENTS.join(", ")}`)),
    ...checkTerraform(json, context),
    ...checkTexts(head),
    ...checkResources(resource, context),
  ];
}
