import { PROFILE_NAMES, type ProfileName } from "../model/deployment.ts";
import { airGapped } from "./air-gapped.ts";
import { customerTenant } from "./customer-tenant.ts";
import { dev } from "./dev.ts";
import { profileErrors } from "./errors.ts";
import { euHosted } from "./eu-hosted.ts";
import { nearest } from "./nearest.ts";
import type { Profile } from "./profile.ts";
import { valueAt } from "./value-at.ts";

/** Every profile, by name. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  dev,
  "eu-hosted": euHosted,
  "customer-tenant": customerTenant,
  "air-gapped": airGapped,
};

/** The profile that a file names, undefined where it names none that there is. */
export function profileOf(said: unknown): Profile | undefined {
  const name = PROFILE_NAMES.find((known) => known === valueAt(said, ["profile"]));
  return name === undefined ? undefined : PROFILES[name];
}

/** The checks of the boundary that the profile lets be reported as not proven, and goes on with. */
export function reportedBy(name: ProfileName): readonly string[] {
  return PROFILES[name].assurances.flatMap(({ heldBy, reportOnly }) => (reportOnly === true ? [heldBy] : []));
}

/**
 * The profile of a name that somebody typed.
 * @throws PROFILE_UNKNOWN
 */
export function profileNamed(name: string): Profile {
  const found = PROFILE_NAMES.find((known) => known === name);
  if (found) return PROFILES[found];
  const meant = nearest(name, PROFILE_NAMES);
  throw profileErrors.error("PROFILE_UNKNOWN", `"${name}" is not a profile; accepted: ${PROFILE_NAMES.join(", ")}`, {
    path: "profile",
    fix: meant && `did you mean ${meant}?`,
  });
}
