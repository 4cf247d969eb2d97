import { certsErrors } from "./errors.ts";

const MINUTE = 60;
const DAY = 86_400;
const YEAR = 365 * DAY;

/** Seconds by which `notBefore` lies in the past, so that a machine with a slow clock takes the certificate at once. */
const BACKDATE_SECONDS = 60;

/** Accepted lifetimes and the one taken when none is named, in seconds, for each class of certificate. */
const LIFETIMES = {
  root: { least: DAY, most: 20 * YEAR, usual: 20 * YEAR },
  maker: { least: 60 * MINUTE, most: 15 * YEAR, usual: 15 * YEAR },
  intermediate: { least: 60 * MINUTE, most: 5 * YEAR, usual: 5 * YEAR },
  services: { least: 5 * MINUTE, most: 30 * DAY, usual: 30 * DAY },
  gateways: { least: 5 * MINUTE, most: 90 * DAY, usual: 90 * DAY },
  operators: { least: 5 * MINUTE, most: 60 * MINUTE, usual: 60 * MINUTE },
  devices: { least: DAY, most: 10 * YEAR, usual: 10 * YEAR },
} as const;

/** What has a range of lifetimes of its own. */
export type LifetimeClass = keyof typeof LIFETIMES;

/** The longest that a certificate of a class is valid, in seconds. */
export function longestLifetime(lifetimeClass: LifetimeClass): number {
  return LIFETIMES[lifetimeClass].most;
}

/** The shortest that a certificate of a class is valid, in seconds. */
export function shortestLifetime(lifetimeClass: LifetimeClass): number {
  return LIFETIMES[lifetimeClass].least;
}

/** The dates of a certificate, in whole seconds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What {@link planValidity} decides from. */
export interface ValidityRequest {
  readonly lifetimeClass: LifetimeClass;
  readonly now: Date;
  /** Seconds from now until `notAfter`. @default the usual lifetime of the class */
  readonly lifetimeSeconds?: number | undefined;
  /** End of the issuer's own certificate; absent for a root. */
  readonly issuerNotAfter?: Date | undefined;
}

/**
 * Decides the dates of a certificate.
 * @throws CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export function planValidity(request: ValidityRequest): Validity {
  const range = LIFETIMES[request.lifetimeClass];
  const lifetime = request.lifetimeSeconds ?? range.usual;
  if (!Number.isSafeInteger(lifetime) || lifetime < range.least || lifetime > range.most) {
    throw certsErrors.error(
      "CERT_LIFETIME_RANGE",
      `"${request.lifetimeClass}.lifetimeSeconds" must be a whole number between ${range.least} and ${range.most}, got ${lifetime}`,
      { path: `${request.lifetimeClass}.lifetimeSeconds` },
    );
  }
  const nowSeconds = Math.floor(request.now.getTime() / 1000);
  const notBefore = new Date((nowSeconds - BACKDATE_SECONDS) * 1000);
  const notAfter = new Date((nowSeconds + lifetime) * 1000);
  if (request.issuerNotAfter !== undefined && notAfter > request.issuerNotAfter) {
    throw certsErrors.error(
      "CERT_OUTLIVES_ISSUER",
      `a certificate until ${notAfter.toISOString()} would outlive its issuer, which ends ${request.issuerNotAfter.toISOString()}`,
      { path: `${request.lifetimeClass}.lifetimeSeconds` },
    );
  }
  return { notBefore, notAfter };
}
