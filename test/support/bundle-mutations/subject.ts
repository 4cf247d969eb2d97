import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleFormatErrors } from "../../../operations/bundle/format/errors.ts";
import { layoutOf, renderSums } from "../../../operations/bundle/format/layout.ts";
import { type Manifest, renderManifest } from "../../../operations/bundle/format/manifest.ts";
import { type Bundle, bundleIn, openBundle } from "../../../operations/bundle/format/read.ts";
import type { Parts } from "../../../operations/bundle/format/reading/parts.ts";
import { packed, testContents, testFolder, UNWATCHED } from "../../../operations/bundle/format/test-bundle.ts";
import { writeArchive } from "../../../operations/bundle/format/write.ts";
import { decideTrust } from "../../../operations/bundle/trust/decide.ts";
import { addSignatures, unsigned } from "../../../operations/bundle/trust/envelope.ts";
import { signBundle } from "../../../operations/bundle/trust/sign-bundle.ts";
import { renderSlot } from "../../../operations/bundle/trust/slot.ts";
import { renderStatement, STATEMENT_TYPE } from "../../../operations/bundle/trust/statement.ts";
import { MADE_AT, people, rootFacts, signedRoot } from "../../../operations/bundle/trust/test-trust.ts";
import { stableJson } from "../../../shared/stable-json.ts";

/** What is mutated, and what decides on a mutant. */
export interface Subject {
  /** The good bundle, version 2 of its site. */
  readonly good: Buffer;
  /** Version 1 of the same site, by the same signer; and version 1 of another tenant. */
  readonly others: readonly Buffer[];
  /**
   * What `bundle verify` does at a site that has had version 2.
   * @returns the code of the refusal; undefined when it is taken
   */
  readonly refusal: (bytes: Buffer) => Promise<string | undefined>;
  /** The same, and every blob is unpacked, as an installation does it. */
  readonly refusalUnpacked: (bytes: Buffer) => Promise<string | undefined>;
  /** The slot that the site's own signer makes for any manifest that is handed to him, as version 3. */
  readonly slotFor: (manifest: Pick<Manifest, "tenant" | "deployment">, sums: Uint8Array) => Promise<Buffer>;
  /** The same as {@link refusal} for a file, or the first of its parts. */
  readonly refusalOfFile: (path: string) => Promise<string | undefined>;
}

/** Two small signed bundles of one site, and one of another tenant. */
export async function mutationSubject(): Promise<Subject> {
  const { anna, root } = await people("anna", "root");
  const rootOf = (tenant: string) => signedRoot(rootFacts({ anna }, { root }, { tenant }), root);
  const ours = await rootOf("demo");
  const folder = testFolder();
  const signed = async (name: string, tenant: string, note: string): Promise<{ file: string; version: number }> => {
    const bundle = await packed({ ...testContents(note), tenant });
    const { manifest } = bundle;
    const ledger = join(folder, tenant);
    mkdirSync(ledger, { recursive: true });
    const job = { manifest, manifestBytes: renderManifest(manifest), sums: renderSums(manifest), folder: ledger };
    const roots = [tenant === "demo" ? ours : await rootOf(tenant)];
    const { slot, statement } = await signBundle({ ...job, roots, now: MADE_AT }, [anna]);
    const [file = ""] = await writeArchive(bundle, slot, join(folder, name), UNWATCHED);
    return { file, version: statement.predicate.version };
  };
  const old = await signed("old.tkb", "demo", "old");
  const { file, version } = await signed("new.tkb", "demo", "new");
  const other = await signed("other.tkb", "other", "new");
  const good = await openBundle(file);
  await good.close();
  const { deployment } = good.manifest;
  const seen = {
    version,
    deployment,
    manifest: `sha256:${createHash("sha256").update(good.manifestBytes).digest("hex")}`,
  };
  const refusalOf = (open: () => Promise<Bundle>, isUnpacked = false) =>
    refusal(async () => {
      const bundle = await open();
      try {
        const { slot, manifest, manifestBytes, sums } = bundle;
        decideTrust({ slot, manifest, manifestBytes, sums, siteRoot: ours, seen, now: MADE_AT });
        await bundle.verifyBytes(UNWATCHED);
        const wanted = new Set(isUnpacked ? manifest.blobs.map(({ digest }) => digest) : []);
        for await (const { content } of bundle.blobs(wanted, UNWATCHED)) for await (const _ of content);
      } finally {
        await bundle.close();
      }
    });
  return {
    good: readFileSync(file),
    others: [readFileSync(old.file), readFileSync(other.file)],
    refusal: (bytes) => refusalOf(() => bundleIn(partsOf(bytes), "site.tkb")),
    refusalUnpacked: (bytes) => refusalOf(() => bundleIn(partsOf(bytes), "site.tkb"), true),
    slotFor: async (manifest, sums) => {
      const { tenant, deployment } = manifest;
      const dates = { created: "2026-03-01T12:00:00Z", warnAfter: "2027-03-01T12:00:00Z" };
      const facts = { tenant, deployment, version: version + 1, rootVersion: 1, ...dates };
      const statement = renderStatement(facts, Buffer.from(`${stableJson(manifest)}\n`), sums);
      return renderSlot({ statement: await addSignatures(unsigned(STATEMENT_TYPE, statement), [anna]), roots: [ours] });
    },
    refusalOfFile: (path) => refusalOf(() => openBundle(path)),
  };
}

/** Where the entries of a good bundle begin: at their headers, and last at the end of the archive. */
export async function boundaries(bytes: Buffer): Promise<readonly number[]> {
  const { manifest } = await bundleIn(partsOf(bytes), "site.tkb");
  const { entries, bytes: size } = layoutOf(manifest);
  return [...entries.map(({ offset }) => offset - 512), size - 1024];
}

/** Bytes in memory, read as files are. */
function partsOf(bytes: Buffer): Parts {
  return {
    ...{ split: false, files: ["site.tkb"], sizes: [bytes.length], bytes: bytes.length },
    read: async (offset, into) => {
      if (offset + into.length > bytes.length) throw bundleFormatErrors.error("BUNDLE_TRUNCATED", "it ends too early");
      bytes.copy(into, 0, offset);
    },
    close: async () => undefined,
  };
}

/** A refusal has a code of bundles; anything else thrown is a bug and goes on. */
async function refusal(verify: () => Promise<void>): Promise<string | undefined> {
  try {
    await verify();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && String(thrown.code).startsWith("BUNDLE_")) {
      return String(thrown.code);
    }
    throw thrown;
  }
}
