import { z } from "zod";
import { text, time, word } from "../../signed-file/fields.ts";
import { CHECKS, type CheckId, LAYERS } from "../../verify/checks.ts";

const finding = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9_]+$/),
  path: text,
  message: text,
  fix: text,
  line: z.int().min(1).optional(),
  column: z.int().min(1).optional(),
});

const result = z.strictObject({
  id: z.enum(Object.keys(CHECKS) as [CheckId, ...CheckId[]]),
  outcome: z.enum(["proven", "broken", "not-proven", "not-required"]),
  seen: text,
  findings: z.array(finding),
  reportOnly: z.boolean().optional(),
});

/** What `verify boundary` found, as evidence carries it. */
export const verificationSchema = z.strictObject({
  schema: z.literal("trustkern.verify-boundary/1"),
  deployment: word,
  tenant: word,
  profile: word,
  engine: word,
  startedAt: time,
  endedAt: time,
  layers: z.array(z.enum(LAYERS)),
  results: z.array(result),
});
