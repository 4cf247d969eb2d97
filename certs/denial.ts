import { type Catalogue, catalogue, type ErrorEntry, EXIT, type TrustKernError } from "../shared/errors.ts";

const { authentication, policy, resource, configuration } = EXIT;

/** Each reason with its exit code, what it means, and what mends it. */
const REASONS = {
  "wrong-ca": [authentication, "A certificate is not from an authority of this deployment.", "enrol it here again"],
  expired: [authentication, "A certificate, or its issuer, is past its end.", "renew it"],
  "not-yet-valid": [
    authentication,
    "A certificate is not valid yet.",
    "set the clocks right, or wait until it is valid",
  ],
  "wrong-usage": [policy, "A certificate or a request is for another use.", "use one of the class that is for this"],
  "name-not-allowed": [policy, "A name is not one that this class may have.", "use the name that was registered"],
  "weak-key": [policy, "A key or a signature is not of an algorithm that is accepted.", "make a key on P-256"],
  "bad-self-signature": [authentication, "A request is not signed by the key that it names.", "make the request again"],
  "foreign-name": [policy, "A request names somebody else.", "request the name that belongs to the key"],
  "wrong-class": [
    policy,
    "A name belongs to another class of certificates.",
    "use svc-, gw- and op- names for their own class",
  ],
  "foreign-tenant": [policy, "A certificate or a request is of another tenant.", "enrol it with this tenant"],
  "not-permitted": [
    policy,
    "A certificate breaks a rule of its chain: a name, class or tenant that its authority may not give, a weak key or signature, or an extension that nobody knows.",
    "enrol it here, under its own name, class and tenant, with a key on P-256",
  ],
  revoked: [authentication, "A certificate was revoked.", "enrol again with a new key"],
  "clock-skew": [authentication, "Two clocks differ by more than is accepted.", "set the clocks right"],
  corrupt: [resource, "What should be a certificate, a request or a list cannot be read.", "send it again, whole"],
  "unknown-device": [
    policy,
    "No record says that this device was made.",
    "import the maker's record with `trustkern device import FILE`",
  ],
  "revoked-device": [policy, "The device was revoked.", "replace the device"],
  "already-enrolled": [
    policy,
    "The device has enrolled already.",
    "if that was the device itself, let it enrol once more: `trustkern gateway allow-again GATEWAY`; if not, revoke it",
  ],
  "foreign-maker": [policy, "The device belongs to another maker.", "use the certificate of the device's own maker"],
  "support-off": [
    policy,
    "The vendor's staff have no access to the deployment, or not at this time.",
    "if the customer grants it, say support.access: granted with to, from, until and reason in trustkern.yaml, and deploy",
  ],
  "revocation-unknown": [
    configuration,
    "There is no valid revocation list for an issuer.",
    "publish a new list of that issuer",
  ],
} as const satisfies Record<string, readonly [ErrorEntry["exit"], string, string]>;

/** Why a certificate, a request or a device was refused; stands as `path` in the error and as `reason` in the event. */
export type DenialReason = keyof typeof REASONS;

/** Error code of a reason: `wrong-ca` is `DENIED_WRONG_CA`. */
type DenialCode = `DENIED_${Uppercase<string>}`;

/** Error codes of refusals, one for each {@link DenialReason}. */
export const denials: Catalogue<DenialCode> = catalogue(
  Object.fromEntries(
    Object.entries(REASONS).map(([reason, [exit, summary, fix]]) => [codeOf(reason), { exit, summary, fix }]),
  ) as Record<DenialCode, ErrorEntry>,
);

/** Makes, and does not throw, the error of a refusal. */
export function denial(reason: DenialReason, message: string): TrustKernError {
  return denials.error(codeOf(reason), message, { path: reason });
}

/** What mends what was refused. */
export function denialFix(reason: DenialReason): string {
  return REASONS[reason][2];
}

/** The reason of a refusal, or undefined when something else went wrong. */
export function denialReason(thrown: unknown): DenialReason | undefined {
  const { code, path } = (thrown ?? {}) as { readonly code?: unknown; readonly path?: unknown };
  const reason = (Object.keys(REASONS) as DenialReason[]).find((each) => each === path);
  return reason !== undefined && code === codeOf(reason) ? reason : undefined;
}

function codeOf(reason: string): DenialCode {
  return `DENIED_${reason.replaceAll("-", "_").toUpperCase()}` as DenialCode;
}
