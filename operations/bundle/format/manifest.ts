import { createHash } from "node:crypto";
import { messageOf } from "../../../shared/errors.ts";
import { harmless } from "../../../shared/shown.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { bundleFormatErrors } from "./errors.ts";
import { manifestFaults } from "./manifest-rules.ts";
import { MANIFEST_SCHEMA, type Manifest, manifestSchema } from "./manifest-schema.ts";

export type { Manifest };

/** The most that `manifest.json` may have: it is held in memory before anybody is trusted. One of 450 files has 110 kB. */
export const MAX_MANIFEST_BYTES: number = 4 * 1_048_576;
/** The most `{`, `[` and `,` that it may have, none of which stands in a text of it: what the longest lists that are accepted have. */
const MAX_MARKS = 200_000;
const MARKS: ReadonlySet<number> = new Set(Buffer.from("{[,"));
/** How many faults one error names, and how much of each. */
const NAMED_FAULTS = 10;
const FAULT_CHARACTERS = 200;

/**
 * Reads a manifest, which has one form only: what is rendered of it has to be the same bytes.
 * @throws BUNDLE_MALFORMED, BUNDLE_OTHER_FORM
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw malformed(`it has ${bytes.length} bytes; accepted: ${MAX_MANIFEST_BYTES} at most`);
  }
  // An empty object takes two bytes here, and fifty in memory.
  if (marksIn(bytes) > MAX_MARKS) throw malformed(`it has more than ${MAX_MARKS} of "{", "[" and ","`);
  const value = jsonOf(bytes);
  const form = schemaOf(value);
  if (form !== MANIFEST_SCHEMA && /^trustkern\.bundle\/\d{1,9}$/.test(form)) {
    throw bundleFormatErrors.error("BUNDLE_OTHER_FORM", `it is a "${form}"; this toolkit reads "${MANIFEST_SCHEMA}"`, {
      path: "manifest.json",
    });
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const { issues } = parsed.error;
    throw malformed(listed(issues.map((issue) => `"${issue.path.join(".") || "."}" ${issue.message}`)));
  }
  const faults = [...manifestFaults(parsed.data).take(NAMED_FAULTS + 1)];
  if (faults.length > 0) throw malformed(listed(faults));
  if (Buffer.compare(renderManifest(parsed.data), bytes) !== 0) {
    throw malformed("it is not in the one form that a manifest has: members sorted, none twice, no space, one newline");
  }
  return parsed.data;
}

/** The bytes of `manifest.json`. */
export function renderManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(`${stableJson(manifest)}\n`);
}

/** `sha256:…` of the bytes of `manifest.json`: the name of exactly this content. */
export function manifestDigest(manifest: Manifest): string {
  return digestOf(renderManifest(manifest));
}

/** `sha256:…` of bytes. */
export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function marksIn(bytes: Uint8Array): number {
  let marks = 0;
  for (const byte of bytes) if (MARKS.has(byte)) marks += 1;
  return marks;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (thrown) {
    throw malformed(`it is no JSON in UTF-8: ${messageOf(thrown)}`);
  }
}

function schemaOf(value: unknown): string {
  const schema = typeof value === "object" && value !== null && "schema" in value ? value.schema : "";
  return typeof schema === "string" ? schema : "";
}

/** What more there is has not been counted. */
function listed(faults: readonly string[]): string {
  const cut = faults
    .slice(0, NAMED_FAULTS)
    .map((fault) => (fault.length > FAULT_CHARACTERS ? `${fault.slice(0, FAULT_CHARACTERS)}…` : fault));
  return `${cut.join("; ")}${faults.length > NAMED_FAULTS ? "; and more" : ""}`;
}

function malformed(why: string): Error {
  return bundleFormatErrors.error("BUNDLE_MALFORMED", `the manifest is refused: ${harmless(why)}`, {
    path: "manifest.json",
  });
}
