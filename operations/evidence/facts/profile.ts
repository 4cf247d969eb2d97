import type { LineResult } from "../../../profiles/lines.ts";
import type { Profile } from "../../../profiles/profile.ts";
import { plainTexts } from "../../signed-file/plain-text.ts";
import type { Facts } from "../schema/facts-schema.ts";

/** The lines of a deployment's profile, and whether the file keeps each. */
export function linesOf(lines: readonly LineResult[]): Facts["profileLines"] {
  return plainTexts(
    lines.map(({ topic, path, accepted, reason, value, kept }) => ({ topic, path, accepted, reason, value, kept })),
  );
}

/** The lines of a profile that no file can keep, and what holds them. */
export function assurancesOf({ assurances }: Profile): Facts["profileAssurances"] {
  return plainTexts(assurances.map(({ topic, heldBy, accepted, reason }) => ({ topic, heldBy, accepted, reason })));
}
