import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { z } from "zod";
import { IMAGE_SOURCES } from "../../model/deployment.ts";
import { renderFindings } from "../../model/findings.ts";
import { readYaml } from "../../profiles/yaml-source.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";
import { imagesErrors } from "./errors.ts";
import { DIGEST, parseReference } from "./reference.ts";
import type { ImageSignature } from "./signatures/judge.ts";

/** Name of the lock file, which stands beside `trustkern.yaml`. */
export const LOCK_FILE = "images.lock.yaml";

const SCHEMA = "trustkern.images/1";

const referenceText = z.string().refine((text) => {
  try {
    return parseReference(text);
  } catch {
    return false;
  }
}, "not [host/]repository:tag");

const base64 = (max: number) => z.base64().min(1).max(max);

const lockSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  source: z.enum(IMAGE_SOURCES),
  signer: z.string().regex(DIGEST, "not sha256: and 64 hex digits").exactOptional(),
  images: z.record(
    z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "not the name of an image"),
    z.strictObject({
      reference: referenceText,
      digest: z.string().regex(DIGEST, "not sha256: and 64 hex digits"),
      signature: z.strictObject({ payload: base64(131_072), signature: base64(1024) }).exactOptional(),
    }),
  ),
});

/** One image of a lock file. */
export interface LockedImage {
  /** `[host/]repository:tag`. */
  readonly reference: string;
  /** For source `registry` the digest of the manifest or manifest list, for the others the id that the Docker Engine gave. */
  readonly digest: string;
  /** As the registry had it when the image was locked. @default no signature was asked for */
  readonly signature?: ImageSignature;
}

/** What `images.lock.yaml` says: which bytes an image of a deployment is. */
export interface ImageLock {
  readonly source: (typeof IMAGE_SOURCES)[number];
  /** Fingerprint of the key that every image was signed by when it was locked. @default no signature was asked for */
  readonly signer?: string;
  /** By the name that components use. */
  readonly images: Readonly<Record<string, LockedImage>>;
}

/**
 * The lock that a text describes.
 * @param file its name, for the report
 * @throws IMAGES_LOCK_INVALID with every mistake, in the order of the text, as its cause
 */
export function parseImageLock(text: string, file: string): ImageLock {
  const source = readYaml(text);
  const parsed = lockSchema.safeParse(source.value);
  const wrong = source.findings.length > 0 || parsed.success ? [] : parsed.error.issues;
  const findings: readonly Finding[] = [
    ...source.findings,
    ...wrong.map(({ path, message }) => ({
      code: "IMAGES_LOCK",
      path: path.join("."),
      message,
      fix: "write the file anew with `trustkern images lock`",
      ...source.valueAt(path),
    })),
  ];
  if (findings.length === 0 && parsed.success) {
    const { schema: _, ...lock } = parsed.data;
    return lock;
  }
  throw imagesErrors.error("IMAGES_LOCK_INVALID", renderFindings(file, findings), { path: file, cause: findings });
}

/** The text of a lock: the same lock is the same text. */
export function renderImageLock({ source, signer, images }: ImageLock): string {
  const sorted = Object.entries(images)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { reference, digest, signature }]) => [name, { reference, digest, ...(signature && { signature }) }]);
  const lock = { schema: SCHEMA, source, ...(signer && { signer }), images: Object.fromEntries(sorted) };
  return `# Written by \`trustkern images lock\`: which bytes each image of the deployment is.\n${stringify(lock, { lineWidth: 0 })}`;
}

/**
 * Reads a lock file; undefined where there is none.
 * @throws IMAGES_LOCK_INVALID
 */
export function readImageLock(file: string): ImageLock | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw imagesErrors.error("IMAGES_LOCK_INVALID", `cannot read it: ${messageOf(cause)}`, { path: file, cause });
  }
  return parseImageLock(text, file);
}
