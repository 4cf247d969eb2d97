import type { Finding } from "../shared/finding.ts";
import { looksLikeSecret, mayHoldSecret } from "../shared/secret-text.ts";
import { profileErrors } from "./errors.ts";
import type { YamlSource } from "./yaml-source.ts";

/** Members that are sentences in somebody's own words, which evidence shows. */
const SENTENCES: readonly PropertyKey[] = ["reason", "acceptSoftware"];

/** Every text of the file that looks like a secret; none is in the finding. A sentence may not even hold what could be one. */
export function secretFindings(source: YamlSource): readonly Finding[] {
  return textsOf(source.value).flatMap(({ path, text }) => {
    const sentence = SENTENCES.includes(path.at(-1) ?? "");
    if (!(sentence ? mayHoldSecret : looksLikeSecret)(text)) return [];
    const { fix } = profileErrors.entries.CONFIG_SECRET;
    const message = sentence
      ? "holds what could be a secret, and evidence shows it; accepted: words, without keys, tokens, digests and ids"
      : "what stands here, and is not shown, looks like a secret";
    return [{ code: "CONFIG_SECRET", path: path.join("."), message, fix, ...source.valueAt(path) }];
  });
}

interface Text {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

function textsOf(value: unknown, path: readonly (string | number)[] = []): readonly Text[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    textsOf(member, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}
