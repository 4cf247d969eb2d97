import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { denial } from "../../../certs/denial.ts";
import { NAME_PREFIX } from "../../../certs/names.ts";
import { type PeerSubject, peerName } from "../../../certs/peer-name.ts";

/**
 * What is wrong with the certificate of who answers as a gRPC server of ours, once its chain was verified: it has to carry the name
 * (RFC 6125), and to be a service's. The error is DENIED_NAME_NOT_ALLOWED or DENIED_WRONG_CLASS.
 */
export function identityProblem(servername: string, certificate: PeerCertificate): Error | undefined {
  const misnamed = checkServerIdentity(servername, certificate);
  if (misnamed) return denial("name-not-allowed", `it is not "${servername}": ${misnamed.message}`);
  const name = peerName(certificate.subject as PeerSubject | undefined);
  if (name?.startsWith(NAME_PREFIX.services)) return undefined;
  return denial(
    "wrong-class",
    `"${name ?? "unknown"}" is no service, and only a service may answer as "${servername}"`,
  );
}
