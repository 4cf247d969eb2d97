/** How one mistake is refused by everybody who looks at it. */
export interface Refusal {
  /** The alert that Mosquitto's client gets (RFC 8446, section 6.2), as Node names the error. */
  readonly alert: RegExp;
  /** What Mosquitto writes. */
  readonly logged: RegExp;
  /** Reason of the backend's event. */
  readonly event: RegExp;
  /** What `openssl verify` says of the certificate; absent where it is not the certificate that is wrong. */
  readonly verdict?: RegExp;
}

const VERIFY = /certificate verify failed/;
/** Node has one name for all that this is: names, keys, hashes and extensions that are not permitted. */
const UNNAMED = /^not-permitted$/;

const unknownAuthority = (event: RegExp, verdict: RegExp): Refusal => ({
  alert: /UNKNOWN_CA$/,
  logged: VERIFY,
  event,
  verdict,
});
const bad = (event: RegExp, verdict: RegExp): Refusal => ({
  alert: /BAD_CERTIFICATE$/,
  logged: VERIFY,
  event,
  verdict,
});
const unknown = (verdict: RegExp): Refusal => ({
  alert: /CERTIFICATE_UNKNOWN$/,
  logged: VERIFY,
  event: UNNAMED,
  verdict,
});

export const NOTHING_SHOWN: Refusal = {
  alert: /CERTIFICATE_REQUIRED$/,
  logged: /peer did not return a certificate/,
  event: /^no-certificate$/,
};
export const FOREIGN_ROOT = unknownAuthority(/^wrong-ca$/, /at 1 depth lookup: unable to get local issuer/);
export const SELF_SIGNED = unknownAuthority(/^wrong-ca$/, /self-signed certificate/);
export const NO_ISSUER = unknownAuthority(/^wrong-ca$/, /at 0 depth lookup: unable to get local issuer/);
export const PATH_LENGTH = unknownAuthority(/^wrong-ca$/, /path length constraint exceeded/);
export const NO_AUTHORITY = unknownAuthority(UNNAMED, /invalid CA certificate/);
export const EXPIRED: Refusal = {
  alert: /CERTIFICATE_EXPIRED$/,
  logged: VERIFY,
  event: /^expired$/,
  verdict: /certificate has expired/,
};
export const NOT_YET_VALID = bad(/^not-yet-valid$/, /certificate is not yet valid/);
export const PURPOSE: Refusal = {
  alert: /UNSUPPORTED_CERTIFICATE$/,
  logged: VERIFY,
  event: /^wrong-usage$/,
  verdict: /unsuitable certificate purpose/,
};
export const NAME = unknown(/permitted subtree violation|excluded subtree violation/);
export const UNKNOWN_CRITICAL = unknown(/unhandled critical extension/);
export const WEAK_KEY = bad(UNNAMED, /key too (small|weak)/);
export const WEAK_HASH = bad(UNNAMED, /CA md too weak|signature digest algorithm too weak/);
export const TAMPERED: Refusal = {
  alert: /DECRYPT_ERROR$/,
  logged: VERIFY,
  event: /^corrupt$/,
  verdict: /certificate signature failure/,
};
export const WRONG_KEY: Refusal = { alert: /DECRYPT_ERROR$/, logged: /bad signature/, event: /^bad-signature$/ };
export const VERSION: Refusal = {
  alert: /PROTOCOL_VERSION$/,
  logged: /unsupported protocol/,
  event: /^tls-version$/,
};
