import type { TLSSocket } from "node:tls";
import type { DenialReason } from "../../certs/denial.ts";

/** Why a handshake failed that was not about a certificate. */
type ProtocolReason =
  | "no-certificate"
  | "bad-signature"
  | "tls-version"
  | "not-tls"
  | "handshake-timeout"
  | "handshake-aborted";

/** By the names that Node and OpenSSL have for it. */
const REASONS: Readonly<Record<string, DenialReason | ProtocolReason>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "no-certificate",
  // Who shows a certificate does not have its key.
  ERR_SSL_PROVIDER_SIGNATURE_FAILURE: "bad-signature",
  ERR_SSL_BAD_SIGNATURE: "bad-signature",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls-version",
  ERR_SSL_WRONG_VERSION_NUMBER: "not-tls",
  ERR_SSL_HTTP_REQUEST: "not-tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "not-tls",
  ERR_TLS_HANDSHAKE_TIMEOUT: "handshake-timeout",
  ECONNRESET: "handshake-aborted",
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not-yet-valid",
  CERT_REVOKED: "revoked",
  CRL_HAS_EXPIRED: "revocation-unknown",
  INVALID_PURPOSE: "wrong-usage",
  // OpenSSL's last word on a stranger's chain; an authority of ours whose list has ended is none to it either.
  UNABLE_TO_GET_CRL: "wrong-ca",
  UNABLE_TO_GET_ISSUER_CERT: "wrong-ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "wrong-ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "wrong-ca",
  SELF_SIGNED_CERT_IN_CHAIN: "wrong-ca",
  DEPTH_ZERO_SELF_SIGNED_CERT: "wrong-ca",
  PATH_LENGTH_EXCEEDED: "wrong-ca",
  INVALID_CA: "wrong-ca",
  CERT_SIGNATURE_FAILURE: "corrupt",
  // What Node has no word for: a name that is not the authority's to give, a weak key, an extension that nobody knows.
  UNSPECIFIED: "not-permitted",
};

/**
 * The typed reason for which a handshake failed: a {@link DenialReason} where a certificate was refused, which ends in a reset,
 * and only the socket knows why. What no table has keeps OpenSSL's name, in lower case.
 */
export function handshakeReason(error: Error, socket: TLSSocket): string {
  const authorization: unknown = socket.authorizationError;
  const code = typeof authorization === "string" ? authorization : "code" in error ? String(error.code) : "unknown";
  return REASONS[code] ?? code.toLowerCase().replaceAll("_", "-");
}
