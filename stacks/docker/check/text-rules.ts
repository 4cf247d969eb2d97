import type { Finding } from "../../../shared/finding.ts";
import { looksLikeSecret } from "../../../shared/secret-text.ts";
import { finding } from "./subject.ts";

// The two places where one resource of the stack names another.
const REFERENCES: readonly { readonly at: RegExp; readonly text: RegExp }[] = [
  { at: /\.networks_advanced\.\d+\.name$/, text: /^\$\{docker_network\.[a-z0-9_-]+\.id\}$/ },
  { at: /^resource\.docker_container\.[^.]+\.image$/, text: /^\$\{docker_image\.[a-z0-9-]+\.image_id\}$/ },
];

/** Texts, names of members included, that Terraform would work out, and texts that look like secrets. */
export function checkTexts(value: unknown, path = ""): readonly Finding[] {
  if (typeof value === "string") return checkText(value, path);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [...checkText(name, at), ...checkTexts(member, at)];
  });
}

function checkText(text: string, path: string): readonly Finding[] {
  const reference = REFERENCES.some((known) => known.at.test(path) && known.text.test(text));
  const expression = !reference && /[$%]\{/.test(text);
  return [
    ...(expression ? [finding("RENDERED_EXPRESSION", path, "holds ${ or %{, which Terraform works out")] : []),
    ...(looksLikeSecret(text) ? [finding("RENDERED_SECRET", path, "holds what looks like a secret")] : []),
  ];
}
