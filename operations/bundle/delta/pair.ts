import { manifestDigest } from "../format/manifest.ts";
import type { Bundle } from "../format/read.ts";
import { bundleDeltaErrors } from "./errors.ts";

/**
 * Two bundles between which there can be a delta.
 * @throws BUNDLE_DELTA_NEEDS_FULL, BUNDLE_DELTA_OTHER_DEPLOYMENT
 */
export function assertBothFull(old: Bundle, full: Bundle): void {
  assertFull(full);
  assertOldOf(old, full.manifest);
}

/**
 * A bundle that a delta can lead on from, of that deployment.
 * @throws BUNDLE_DELTA_NEEDS_FULL, BUNDLE_DELTA_OTHER_DEPLOYMENT
 */
export function assertOldOf(old: Bundle, after: { readonly tenant: string; readonly deployment: string }): void {
  assertFull(old);
  const before = old.manifest;
  if (before.tenant === after.tenant && before.deployment === after.deployment) return;
  const message = `"${old.path}" is of deployment "${before.deployment}", tenant "${before.tenant}", and the new one of "${after.deployment}", "${after.tenant}"`;
  throw bundleDeltaErrors.error("BUNDLE_DELTA_OTHER_DEPLOYMENT", message, { path: old.path });
}

/**
 * A delta, and the bundle that it changes.
 * @throws BUNDLE_DELTA_IS_FULL, BUNDLE_DELTA_NEEDS_FULL, BUNDLE_DELTA_OTHER_BASE
 */
export function assertBaseOf(old: Bundle, delta: Bundle): void {
  const { base } = delta.manifest;
  if (base === undefined) {
    throw bundleDeltaErrors.error("BUNDLE_DELTA_IS_FULL", `"${delta.path}" is a full bundle`, { path: delta.path });
  }
  assertFull(old);
  const found = manifestDigest(old.manifest);
  if (found === base) return;
  const message = `the delta changes ${base}, and "${old.path}" is ${found}`;
  throw bundleDeltaErrors.error("BUNDLE_DELTA_OTHER_BASE", message, { path: old.path });
}

function assertFull({ path, manifest }: Bundle): void {
  if (manifest.base === undefined) return;
  throw bundleDeltaErrors.error("BUNDLE_DELTA_NEEDS_FULL", `"${path}" is a delta itself, to ${manifest.base}`, {
    path,
  });
}
