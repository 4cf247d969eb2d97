import { basename } from "node:path";
import { type ClaimedOutput, claimOutput } from "./files.ts";
import type { Io } from "./io.ts";

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
  const base = evidence.endsWith(".json") ? evidence.slice(0, -".json".length) : evidence;
  return { evidence, page: `${base}.html`, summary: `${base}.md`, key: `${base}.pub` };
}

/** The same names without their folder, as pages and subjects have them: letters, digits and `._-` alone. */
export function bareNames(names: EvidenceNames): Omit<EvidenceNames, "key"> {
  const bare = (name: string): string => basename(name).replace(/[^\w.-]/g, "_");
  return { evidence: bare(names.evidence), page: bare(names.page), summary: bare(names.summary) };
}

/**
 * Makes the files before the work is done that they are for; what is not written until the end is removed again.
 * @throws CLI_FILE_EXISTS, CLI_OUTPUT
 */
export function claimEvidence(
  io: Io,
  names: EvidenceNames,
): Readonly<Record<keyof EvidenceNames, ClaimedOutput>> & Disposable {
  const claimed: ClaimedOutput[] = [];
  const release = (): void => {
    for (const file of claimed) file.release();
  };
  const claim = (name: string): ClaimedOutput => {
    const file = claimOutput(io, name);
    claimed.push(file);
    return file;
  };
  try {
    return {
      evidence: claim(names.evidence),
      page: claim(names.page),
      summary: claim(names.summary),
      key: claim(names.key),
      [Symbol.dispose]: release,
    };
  } catch (thrown) {
    release();
    throw thrown;
  }
}
