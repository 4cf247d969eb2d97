import { basename } from "node:path";
import { publicKeyName, withoutJson } from "./named-key.ts";

/** The files of one evidence, by the name of the first. */
export interface EvidenceNames {
  readonly evidence: string;
  readonly page: string;
  readonly summary: string;
  /** The public key. */
  readonly key: string;
}

/** `evidence.json`, `evidence.html`, `evidence.md`, `evidence.pub`: the name without `.json` is that of all. */
export function evidenceNames(evidence: string): EvidenceNames {
  const base = withoutJson(evidence);
  return { evidence, page: `${base}.html`, summary: `${base}.md`, key: publicKeyName(evidence) };
}

/** The same names without their folder, as pages and subjects have them: letters, digits and `._-` alone. */
export function bareNames(names: EvidenceNames): Omit<EvidenceNames, "key"> {
  const bare = (name: string): string => basename(name).replace(/[^\w.-]/g, "_");
  return { evidence: bare(names.evidence), page: bare(names.page), summary: bare(names.summary) };
}
