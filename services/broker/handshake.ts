import type { TLSSocket } from "node:tls";

const REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "no-certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls-version",
  ERR_SSL_WRONG_VERSION_NUMBER: "not-tls",
  ERR_SSL_HTTP_REQUEST: "not-tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "not-tls",
  ERR_TLS_HANDSHAKE_TIMEOUT: "handshake-timeout",
  ECONNRESET: "handshake-aborted",
  CERT_HAS_EXPIRED: "certificate-expired",
  CERT_REVOKED: "certificate-revoked",
  CRL_HAS_EXPIRED: "certificate-list-missing",
  // OpenSSL's last word on a stranger's chain; an authority of ours whose list has ended is none to it either.
  UNABLE_TO_GET_CRL: "certificate-issuer",
  CERT_NOT_YET_VALID: "certificate-not-yet-valid",
  INVALID_PURPOSE: "certificate-purpose",
  UNABLE_TO_GET_ISSUER_CERT: "certificate-issuer",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate-issuer",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate-issuer",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate-issuer",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate-issuer",
  // What Node has no word for: a broken name constraint is one.
  UNSPECIFIED: "certificate-refused",
};

/** The typed reason for which a handshake failed. A refused certificate ends in a reset, and only the socket knows why. */
export function handshakeReason(error: Error, socket: TLSSocket): string {
  const authorization: unknown = socket.authorizationError;
  const code = typeof authorization === "string" ? authorization : "code" in error ? String(error.code) : "unknown";
  return REASONS[code] ?? code.toLowerCase().replaceAll("_", "-");
}
