import { z } from "zod";

/** Name of the form of a bundle; another number is another form, which this toolkit refuses. */
export const MANIFEST_SCHEMA = "trustkern.bundle/1";
/** What one entry of POSIX ustar can be: eleven octal digits. */
const MAX_ENTRY_BYTES = 0o77_777_777_777;
/** How many faults of one list are looked for: more than that nobody reads, and each takes memory. */
const LIST_FAULTS = 10;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "not sha256: and 64 hex digits");
const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "not 1 to 63 of a-z, 0-9 and -");
/** The sum over all blobs stays below 2^53. */
const bytes = z
  .int()
  .min(0)
  .max(2 ** 52);
const entryBytes = bytes.max(MAX_ENTRY_BYTES);
/** Relative, of 16 plain ASCII parts at most: a part may begin with one dot (`.terraform.lock.hcl`), and is never `.` or `..`. */
const path = z
  .string()
  .max(200)
  .regex(
    /^(?:\.?[A-Za-z0-9_][A-Za-z0-9_+.@-]*)(?:\/\.?[A-Za-z0-9_][A-Za-z0-9_+.@-]*){0,15}$/,
    "not a relative path of 1 to 16 plain parts",
  );
/** What the header of a tar entry takes in its first field. */
const entryPath = path.max(100);

/** A list whose length is held before anything in it is looked at, and that is not looked at further once {@link LIST_FAULTS} are found. */
function list<T extends z.ZodType>(element: T, { min = 0, max }: { readonly min?: number; readonly max: number }) {
  const long = z.array(z.unknown()).min(min).max(max);
  return long.transform((items, context) => {
    const values: z.output<T>[] = [];
    let faults = 0;
    for (const [index, item] of items.entries()) {
      const { success, data, error } = element.safeParse(item);
      if (success) values.push(data);
      for (const { message, path } of error?.issues ?? []) {
        context.addIssue({ code: "custom", message, path: [index, ...path] });
        faults += 1;
      }
      if (faults >= LIST_FAULTS) break;
    }
    return values;
  });
}

/** A file that the bundle puts on a disk, below the folder of one version of a site. */
const file = z.strictObject({ path, digest, executable: z.boolean() });

const image = z.strictObject({
  /** As components name it. */
  name,
  /** `[repository/]name:tag`, under which an engine gets it. */
  reference: z
    .string()
    .max(255)
    .regex(
      /^[a-z0-9][a-z0-9._:-]*(?:\/[a-z0-9][a-z0-9._-]*)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/,
      "no image reference with a tag",
    ),
  /** Of its configuration, which is the id that a Docker Engine gives it. */
  config: digest,
  /** Diff ids, lowest first: each is a blob of the bundle, an uncompressed tar. */
  layers: list(digest, { min: 1, max: 64 }),
});

/** What `manifest.json` of a bundle says. */
export const manifestSchema = z.strictObject({
  schema: z.literal(MANIFEST_SCHEMA),
  tenant: name,
  deployment: name,
  profile: z.enum(["dev", "eu-hosted", "customer-tenant", "air-gapped"]),
  /** Of the toolkit that made it and that is in it. */
  toolkit: z.strictObject({
    version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/, "not a version"),
    platform: z.enum(["linux-x64", "linux-arm64"]),
  }),
  /** Digest of the manifest that a delta is to be applied to. @default none: the bundle is full */
  base: digest.exactOptional(),
  /** Files that lie in the archive as they are, such as `start.sh`, in ascending order of their paths. */
  plain: list(z.strictObject({ path: entryPath, digest, bytes: entryBytes, executable: z.boolean() }), { max: 64 }),
  /** Ascending paths, each once, also when case is folded; no path is a folder of another. */
  files: list(file, { max: 20_000 }),
  /** Ascending names, each once. */
  images: list(image, { max: 64 }),
  /** Every blob once, in the order in which segments have them. */
  blobs: list(z.strictObject({ digest, bytes: bytes.max(2 ** 38) }), { max: 20_000 }),
  /** One zstd frame each: `blobs` blobs, one after the other, `rawBytes` together. */
  segments: list(z.strictObject({ digest, bytes: entryBytes.min(1), rawBytes: bytes, blobs: z.int().min(1) }), {
    max: 4096,
  }),
});

/** What a bundle has: which tenant's, and the digest of every byte. */
export type Manifest = z.output<typeof manifestSchema>;
