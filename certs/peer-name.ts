import { LEAF_CLASSES, NAME_PREFIX } from "./names.ts";

/** The subject that `TLSSocket.getPeerCertificate()` gives: an attribute that occurs twice is an array. */
export type PeerSubject = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The common name of a verified peer, or null when its class and its name do not belong together. An authority's name
 * constraints bind the organisational unit; only with this check do they bind the common name too, so that the
 * gateways' authority cannot make itself a service. Never read `subject.CN` alone.
 */
export function peerName(subject: PeerSubject | undefined): string | null {
  const { CN: commonName, OU: unit } = subject ?? {};
  if (typeof commonName !== "string") return null;
  const leafClass = LEAF_CLASSES.find((each) => each === unit);
  return leafClass !== undefined && commonName.startsWith(NAME_PREFIX[leafClass]) ? commonName : null;
}
