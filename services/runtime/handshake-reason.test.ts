import type { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { denials } from "../../certs/denial.ts";
import { EXIT } from "../../shared/errors.ts";
import { handshakeReason } from "./handshake-reason.ts";

const reset = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
const reasonOf = (authorizationError: unknown, error: Error = reset): string =>
  handshakeReason(error, { authorizationError } as TLSSocket);

describe("a certificate that is refused has the reason of a denial, and so an exit code and a fix", () => {
  it.each<[string, string, number]>([
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "wrong-ca", EXIT.authentication],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "wrong-ca", EXIT.authentication],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "wrong-ca", EXIT.authentication],
    ["CERT_HAS_EXPIRED", "expired", EXIT.authentication],
    ["CERT_NOT_YET_VALID", "not-yet-valid", EXIT.authentication],
    ["CERT_REVOKED", "revoked", EXIT.authentication],
    ["CRL_HAS_EXPIRED", "revocation-unknown", EXIT.configuration],
    ["INVALID_PURPOSE", "wrong-usage", EXIT.policy],
    ["CERT_SIGNATURE_FAILURE", "corrupt", EXIT.resource],
    ["UNSPECIFIED", "not-permitted", EXIT.policy],
  ])("%s is %s", (code, reason, exit) => {
    expect(reasonOf(code)).toBe(reason);
    expect(
      denials.entries[`DENIED_${reason.toUpperCase().replaceAll("-", "_")}` as keyof typeof denials.entries],
    ).toMatchObject({ exit });
  });
});

describe("what is not about a certificate", () => {
  it.each([
    ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "no-certificate"],
    ["ERR_SSL_PROVIDER_SIGNATURE_FAILURE", "bad-signature"],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "tls-version"],
    ["ERR_SSL_HTTP_REQUEST", "not-tls"],
    ["ERR_TLS_HANDSHAKE_TIMEOUT", "handshake-timeout"],
    ["ECONNRESET", "handshake-aborted"],
    ["ERR_SSL_SOMETHING_NEW", "err-ssl-something-new"],
  ])("%s is %s", (code, reason) => {
    expect(reasonOf(undefined, Object.assign(new Error("x"), { code }))).toBe(reason);
    expect(reasonOf(null, Object.assign(new Error("x"), { code }))).toBe(reason);
  });

  it("has a reason also where nobody says one", () => {
    expect(reasonOf(undefined, new Error("x"))).toBe("unknown");
  });
});
