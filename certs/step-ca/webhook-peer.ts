import type { DetailedPeerCertificate } from "node:tls";
import { issuingServerName, type OnlineClass } from "../names.ts";
import { ONLINE_CLASSES } from "./names.ts";

/**
 * Which online authority's webhook it is that connects, or null for everybody else. Only for a peer that TLS has verified: the
 * authority's name constraints keep each class to its own server's name, and who can forge it has the authority's key.
 */
export function webhookPeer(peer: DetailedPeerCertificate | undefined, tenant: string): OnlineClass | null {
  const subject = Object.entries(peer?.subject ?? {});
  const [name] = subject;
  if (subject.length !== 1 || name?.[0] !== "CN") return null;
  const issuer = peer?.issuerCertificate?.subject ?? peer?.issuer;
  const found = ONLINE_CLASSES.find((each) => name[1] === issuingServerName(each, tenant));
  return found !== undefined && issuer?.CN === `TrustKern ${found}` && issuer.O === tenant ? found : null;
}
