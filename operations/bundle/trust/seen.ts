import { z } from "zod";
import { digestField, nameField } from "./fields.ts";
import { MAX_VERSION } from "./statement.ts";

/** The form of `trust/seen.json` of a site. */
export const seenSchema = z.union([
  z.strictObject({ schema: z.literal("trustkern.bundle-seen/1"), version: z.literal(0) }),
  z.strictObject({
    schema: z.literal("trustkern.bundle-seen/1"),
    version: z.int().min(1).max(MAX_VERSION),
    manifest: digestField,
    deployment: nameField,
  }),
]);

/** The newest bundle that a site has had; version 0 where its root is installed and nothing else yet. */
export interface Seen {
  readonly version: number;
  /** Digest of its manifest. */
  readonly manifest?: string | undefined;
  readonly deployment?: string | undefined;
}
