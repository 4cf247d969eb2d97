import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import { digestField } from "../trust/fields.ts";
import { strictJson } from "../trust/strict-json.ts";
import { bundleDeltaErrors } from "./errors.ts";

/** Where a delta has its own files. */
export const DELTA_FILES = {
  recipe: "delta/recipe.json",
  /** `manifest.json` of the full bundle. */
  manifest: "delta/manifest.json",
  /** `signatures.json` of the full bundle. */
  slot: "delta/signatures.json",
} as const;

/** So much of a new blob is rebuilt at once: what is held in memory of it. */
export const PIECE_BYTES: number = 8 * 1_048_576;
/** So much before and behind its place in the old blob is looked at for a piece. */
export const MARGIN_BYTES: number = 4 * 1_048_576;

const size = z.int().min(0);

const piece = z.strictObject({
  /** What comes out. */
  bytes: size.min(1).max(PIECE_BYTES),
  /** A zstd frame, a blob of the delta, that is unpacked with a part of an old blob as its dictionary. */
  patch: digestField,
  offset: size,
  length: size.min(1).max(PIECE_BYTES + 2 * MARGIN_BYTES),
});

const rebuilt = z.strictObject({
  /** A blob or plain file of the full bundle. */
  digest: digestField,
  /** A blob or plain file of the base. */
  from: digestField,
  pieces: z.array(piece).min(1).max(20_000),
});

const recipeSchema = z.strictObject({
  schema: z.literal("trustkern.bundle-delta/1"),
  /** Version of the zstd library that compressed the full bundle. */
  zstd: z.string().regex(/^[0-9A-Za-z.+-]{1,32}$/),
  /** What the full bundle has, the base has not, and the delta has not as it is either. */
  rebuilt: z.array(rebuilt).max(20_064),
});

/** How the new blobs of a full bundle come from old ones. */
export type Recipe = Readonly<z.output<typeof recipeSchema>>;

/** One new blob, and the old one that it comes from. */
export type Rebuilt = Recipe["rebuilt"][number];

/** The bytes of a recipe. */
export function renderRecipe(recipe: Recipe): Buffer {
  return Buffer.from(stableJson(recipeSchema.parse(recipe)));
}

/** @throws BUNDLE_DELTA_MALFORMED */
export function parseRecipe(bytes: Uint8Array): Recipe {
  return strictJson(recipeSchema, bytes, (why) => deltaMalformed(`"${DELTA_FILES.recipe}": ${why}`));
}

/** The error of a delta that does not lead to the bundle that it names. */
export function deltaMalformed(message: string, cause?: unknown): Error {
  return bundleDeltaErrors.error("BUNDLE_DELTA_MALFORMED", message, { cause });
}
