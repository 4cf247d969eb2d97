import type { MissingSignatures } from "../operations/bundle/trust/make-root.ts";
import { type Holder, keysOf, type SignedRoot } from "../operations/bundle/trust/root.ts";

/** A root of trust for people. */
export function rootLines({ root, fingerprint, envelope }: SignedRoot): readonly string[] {
  const signed = new Set(envelope.signatures.map(({ keyid }) => keyid));
  const line = (mark: (key: string) => string) => (holder: Holder) => {
    const key = fingerprintOfHolder(holder);
    return `  ${holder.name.padEnd(16)} ${key}${mark(key)}`;
  };
  return [
    `root ${root.version} of tenant ${root.tenant}, made ${root.created}`,
    `fingerprint ${fingerprint}`,
    `bundles: ${root.threshold} of ${root.signers.length} signers`,
    ...root.signers.map(line(() => "")),
    `roots: ${root.rootThreshold} of ${root.rootKeys.length} root keys`,
    ...root.rootKeys.map(line((key) => (signed.has(key) ? "  signed this" : ""))),
  ];
}

/** A root of trust as a document. */
export function rootDocument({ root, fingerprint, envelope }: SignedRoot): object {
  const named = (all: readonly Holder[]) =>
    all.map((each) => ({ name: each.name, fingerprint: fingerprintOfHolder(each) }));
  const { tenant, version, created, threshold, rootThreshold } = root;
  return {
    ...{ tenant, version, created, fingerprint, threshold, signers: named(root.signers) },
    ...{ rootThreshold, rootKeys: named(root.rootKeys), signedBy: envelope.signatures.map(({ keyid }) => keyid) },
  };
}

/** What a root still needs, in words; undefined for one that counts. */
export function missingLine({ own, before }: MissingSignatures, file: string): string | undefined {
  if (own + before === 0) return undefined;
  const needs = [
    own > 0 ? `${own} more of its own root keys` : "",
    before > 0 ? `${before} more of those of the root before` : "",
  ];
  return `does not count yet: ${needs.filter(Boolean).join(", and ")}: trustkern bundle trust sign ${file} --key PLACE`;
}

function fingerprintOfHolder(holder: Holder): string {
  return [...keysOf([holder]).keys()][0] ?? "";
}
