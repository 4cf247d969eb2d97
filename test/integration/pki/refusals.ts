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
/** Node has no name for what it means. */
const UNNAMED = /^UNSPECIFIED$|^[a-z-]+$/;

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
  event: /PEER_DID_NOT_RETURN_A_CERTIFICATE$/,
};
export const FOREIGN_ROOT = unknownAuthority(
  /^UNABLE_TO_GET_ISSUER_CERT_LOCALLY$/,
  /at 1 depth lookup: unable to get local issuer/,
);
export const SELF_SIGNED = unknownAuthority(/^DEPTH_ZERO_SELF_SIGNED_CERT$/, /self-signed certificate/);
export const NO_ISSUER = unknownAuthority(
  /^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
  /at 0 depth lookup: unable to get local issuer/,
);
export const PATH_LENGTH = unknownAuthority(/^PATH_LENGTH_EXCEEDED$/, /path length constraint exceeded/);
export const NO_AUTHORITY = unknownAuthority(UNNAMED, /invalid CA certificate/);
export const EXPIRED: Refusal = {
  alert: /CERTIFICATE_EXPIRED$/,
  logged: VERIFY,
  event: /^CERT_HAS_EXPIRED$/,
  verdict: /certificate has expired/,
};
export const NOT_YET_VALID = bad(/^CERT_NOT_YET_VALID$/, /certificate is not yet valid/);
export const PURPOSE: Refusal = {
  alert: /UNSUPPORTED_CERTIFICATE$/,
  logged: VERIFY,
  event: /^INVALID_PURPOSE$/,
  verdict: /unsuitable certificate purpose/,
};
export const NAME = unknown(/permitted subtree violation|excluded subtree violation/);
export const UNKNOWN_CRITICAL = unknown(/unhandled critical extension/);
export const WEAK_KEY = bad(UNNAMED, /key too (small|weak)/);
export const WEAK_HASH = bad(UNNAMED, /CA md too weak|signature digest algorithm too weak/);
export const TAMPERED: Refusal = {
  alert: /DECRYPT_ERROR$/,
  logged: VERIFY,
  event: /^CERT_SIGNATURE_FAILURE$/,
  verdict: /certificate signature failure/,
};
export const WRONG_KEY: Refusal = { alert: /DECRYPT_ERROR$/, logged: /bad signature/, event: /SIGNATURE_FAILURE$/ };
export const VERSION: Refusal = {
  alert: /PROTOCOL_VERSION$/,
  logged: /unsupported protocol/,
  event: /UNSUPPORTED_PROTOCOL$/,
};
