import { parseDuration } from "../shared/durations.ts";
import { DURATION } from "./fields.ts";
import { isOnSite, isOnSiteHost, isSiteAddress, isSiteNetwork, ON_SITE_TEXT } from "./on-site.ts";
import { isBelow, regionInHost } from "./provider-hosts.ts";

/**
 * What a constraint asks of the value at its path; the paths in a rule are those of other values of the file, `*` being the same
 * element as in the constraint's own.
 */
export type Rule =
  | { readonly kind: "one-of"; readonly values: readonly (number | string)[] }
  | { readonly kind: "between"; readonly min: number; readonly max: number }
  | { readonly kind: "lasts"; readonly min: string; readonly max: string }
  | { readonly kind: "shorter-than"; readonly path: string }
  | { readonly kind: "no-longer-than"; readonly path: string }
  | { readonly kind: "within"; readonly path: string; readonly max: string }
  | { readonly kind: "same-as"; readonly path: string }
  | { readonly kind: "other-than"; readonly path: string }
  | { readonly kind: "on-site" }
  | { readonly kind: "on-site-host"; readonly orNone?: boolean }
  | { readonly kind: "site-address" }
  | { readonly kind: "site-networks" }
  | { readonly kind: "names-region-of"; readonly path: string }
  | { readonly kind: "names-region-among"; readonly values: readonly string[] }
  | { readonly kind: "registry-apart-from"; readonly domains: readonly string[] }
  | { readonly kind: "required"; readonly but?: string };

/** The value of the file, or else of its profile, at a path. */
export type LookUp = (path: string) => unknown;

/** What a rule accepts, in words. */
export function renderRule(rule: Rule): string {
  switch (rule.kind) {
    case "one-of":
      return rule.values.join(", ");
    case "between":
    case "lasts":
      return `${rule.min} to ${rule.max}`;
    case "shorter-than":
      return `shorter than ${rule.path}`;
    case "no-longer-than":
      return `no longer than ${rule.path}`;
    case "within":
      return `at most ${rule.max} after ${rule.path}`;
    case "same-as":
      return `the same as ${rule.path}`;
    case "other-than":
      return `another than ${rule.path}`;
    case "on-site":
      return `an https URL of ${ON_SITE_TEXT}`;
    case "on-site-host":
      return ON_SITE_TEXT;
    case "site-address":
      return "a loopback or a private address (RFC 1918)";
    case "site-networks":
      return "private networks (RFC 1918), or none";
    case "names-region-of":
      return `a name that names no other region of AWS than ${rule.path}`;
    case "names-region-among":
      return `a name that names no region of AWS but ${rule.values.join(", ")}`;
    case "registry-apart-from":
      return `any registry that is not below ${rule.domains.join(" or ")}`;
    case "required":
      return rule.but === undefined ? "any, but it must be said" : `any but ${rule.but}, and it must be said`;
  }
}

/** Whether a value keeps a rule; `undefined` is a value that neither file nor profile gives. */
export function keepsRule(rule: Rule, value: unknown, lookUp: LookUp = () => undefined): boolean {
  switch (rule.kind) {
    case "one-of":
      return rule.values.some((accepted) => accepted === value);
    case "between":
      return typeof value === "number" && value >= rule.min && value <= rule.max;
    case "lasts":
      return seconds(value) >= parseDuration(rule.min) && seconds(value) <= parseDuration(rule.max);
    case "shorter-than":
      return !(seconds(value) >= seconds(lookUp(rule.path)));
    case "no-longer-than":
      return !(seconds(value) > seconds(lookUp(rule.path)));
    case "within":
      return !(instant(value) - instant(lookUp(rule.path)) > parseDuration(rule.max) * 1000);
    case "same-as":
      return value === lookUp(rule.path);
    case "other-than":
      return value !== lookUp(rule.path);
    case "on-site":
      return isOnSite(value);
    case "on-site-host":
      return isOnSiteHost(value) || (rule.orNone === true && value === undefined);
    case "site-address":
      return value === undefined || isSiteAddress(value);
    case "site-networks":
      return value === undefined || (Array.isArray(value) && value.every(isSiteNetwork));
    case "names-region-of":
      return regionsOf(value).every((region) => region === lookUp(rule.path));
    case "names-region-among":
      return regionsOf(value).every((region) => rule.values.includes(region));
    case "registry-apart-from":
      return typeof value !== "string" || !isBelow(value, rule.domains);
    case "required":
      return value !== undefined && value !== rule.but;
  }
}

function regionsOf(value: unknown): readonly string[] {
  const region = typeof value === "string" ? regionInHost(value) : undefined;
  return region === undefined ? [] : [region];
}

/** NaN, which is neither shorter nor longer than anything, for what is no duration. */
function seconds(value: unknown): number {
  return typeof value === "string" && DURATION.test(value) ? parseDuration(value) : Number.NaN;
}

/** Milliseconds since 1970, NaN for what is no time. */
function instant(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) : Number.NaN;
}
