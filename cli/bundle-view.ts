import { digestOf, type Manifest } from "../operations/bundle/format/manifest.ts";
import type { Bundle } from "../operations/bundle/format/read.ts";
import { parseSlot } from "../operations/bundle/trust/slot.ts";
import { statementOf } from "../operations/bundle/trust/statement.ts";
import { messageOf } from "../shared/errors.ts";
import { harmless } from "../shared/shown.ts";
import { sizeText } from "../shared/size-text.ts";
import { fingerprintOf } from "../stacks/host/trust/fingerprint.ts";
import type { Paint } from "./paint.ts";

const SBOM_FOLDER = "sbom/";
const SBOM_END = ".cdx.json";

/** Who says to have signed a bundle; `why` says why that cannot be told. */
export type Claims =
  | {
      readonly version: number;
      readonly created: string;
      readonly warnAfter: string;
      /** Names are those of the root of trust that the bundle itself has. */
      readonly signers: readonly { readonly name: string | null; readonly fingerprint: string }[];
    }
  | { readonly why: string };

/** What a bundle says that it has. */
export interface Inspection {
  readonly files: readonly string[];
  readonly bytes: number;
  /** Digest of its manifest: the name of exactly this content. */
  readonly manifest: string;
  readonly tenant: string;
  readonly deployment: string;
  readonly profile: string;
  readonly toolkit: Manifest["toolkit"];
  /** Manifest of the bundle that this one is a delta to. */
  readonly base: string | null;
  readonly images: readonly {
    readonly name: string;
    readonly reference: string;
    readonly config: string;
    readonly layers: readonly string[];
    /** Of the layers, uncompressed, shared ones too; `null` where the base has some of them. */
    readonly bytes: number | null;
  }[];
  readonly content: readonly { readonly path: string; readonly digest: string; readonly bytes: number | null }[];
  readonly plain: Manifest["plain"];
  readonly segments: Manifest["segments"];
  readonly sboms: readonly string[];
  readonly claims: Claims;
}

/** What the head of a bundle says; nothing of it is verified. */
export function inspection({ files, bytes, slot, manifest, manifestBytes }: Bundle): Inspection {
  const sizes = new Map(manifest.blobs.map((blob) => [blob.digest, blob.bytes]));
  const { tenant, deployment, profile, toolkit, plain, segments } = manifest;
  return {
    ...{ files, bytes, manifest: digestOf(manifestBytes), tenant, deployment, profile, toolkit },
    base: manifest.base ?? null,
    images: manifest.images.map((image) => ({ ...image, bytes: sumOf(image.layers, sizes) })),
    content: manifest.files.map(({ path, digest }) => ({ path, digest, bytes: sizes.get(digest) ?? null })),
    ...{ plain, segments, sboms: sbomNames(manifest), claims: claimsOf(slot) },
  };
}

function claimsOf(slot: Uint8Array): Claims {
  try {
    const { statement, roots } = parseSlot(slot);
    const { version, created, warnAfter } = statementOf(statement).predicate;
    const names = roots.at(-1)?.root.signers.map(({ name, publicKey }) => {
      return [fingerprintOf(Buffer.from(publicKey, "base64")), name] as const;
    });
    const known = new Map(names);
    const signers = statement.signatures.map(({ keyid }) => ({ name: known.get(keyid) ?? null, fingerprint: keyid }));
    return { version, created, warnAfter, signers };
  } catch (thrown) {
    return { why: harmless(messageOf(thrown)) };
  }
}

function claimLines(claims: Claims): readonly string[] {
  if ("why" in claims) return [`signatures: ${claims.why}`];
  const { version, created, warnAfter, signers } = claims;
  return [
    `version ${version}, made ${created}; from ${warnAfter} on there should be a newer one`,
    ...signers.map(({ name, fingerprint }) => `says to be signed by ${name ?? "somebody unknown"}, ${fingerprint}`),
  ];
}

/** Where the SBOM of an image, or of the toolkit, lies. */
export function sbomPath(name: string): string {
  return `${SBOM_FOLDER}${name}${SBOM_END}`;
}

/** What the bundle has SBOMs of. */
export function sbomNames({ files }: Manifest): readonly string[] {
  return files
    .map(({ path }) => path)
    .filter((path) => path.startsWith(SBOM_FOLDER) && path.endsWith(SBOM_END))
    .map((path) => path.slice(SBOM_FOLDER.length, -SBOM_END.length));
}

/** The same for a person. */
export function inspectionText(found: Inspection, paint: Paint): string {
  const { images, content, plain, segments, sboms, toolkit } = found;
  const raw = segments.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  const packed = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const parts = found.files.length > 1 ? ` in ${found.files.length} parts` : "";
  const width = Math.max(...images.map(({ name }) => name.length));
  const size = (bytes: number | null): string => (bytes === null ? "in the base" : sizeText(bytes)).padStart(11);
  return `${[
    `${found.deployment}, tenant ${found.tenant}, profile ${found.profile}, toolkit ${toolkit.version} for ${toolkit.platform}`,
    `manifest ${found.manifest}`,
    ...(found.base === null ? [] : [`delta to the bundle with the manifest ${found.base}`]),
    `${sizeText(found.bytes)}${parts}; ${segments.length} ${segments.length === 1 ? "segment" : "segments"}, ${sizeText(packed)} of ${sizeText(raw)}`,
    ...images.map(({ name, reference, bytes }) => `image ${size(bytes)}  ${name.padEnd(width)} ${reference}`),
    ...plain.map(({ path, bytes }) => `plain ${size(bytes)}  ${path}`),
    ...folders(content).map(([folder, count, bytes]) => `files ${size(bytes)}  ${folder} (${count})`),
    `SBOMs: ${sboms.length === 0 ? "none" : sboms.join(", ")}`,
    ...claimLines(found.claims),
    paint("yellow", "not verified: `trustkern bundle verify` says whether this is so, and who signed it"),
  ].join("\n")}\n`;
}

/** Files by their first folder: how many, and how much. */
function folders(content: Inspection["content"]): readonly (readonly [string, number, number])[] {
  const all = new Map<string, readonly [string, number, number]>();
  for (const { path, bytes } of content) {
    const folder = path.includes("/") ? path.slice(0, path.indexOf("/") + 1) : path;
    const [, count, sum] = all.get(folder) ?? [folder, 0, 0];
    all.set(folder, [folder, count + 1, sum + (bytes ?? 0)]);
  }
  return [...all.values()];
}

function sumOf(digests: readonly string[], sizes: ReadonlyMap<string, number>): number | null {
  const all = digests.map((digest) => sizes.get(digest));
  return all.includes(undefined) ? null : all.reduce((sum: number, bytes) => sum + (bytes ?? 0), 0);
}
