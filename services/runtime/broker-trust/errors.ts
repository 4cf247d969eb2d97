import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of what a broker trusts: revocation lists, its own certificate, and where both come from. */
export const brokerTrustErrors = catalogue({
  BROKER_CRL_REFUSED: {
    exit: EXIT.authentication,
    summary:
      "A certificate revocation list is not taken: torn, empty, not of our authorities, ended, or older than the one in force.",
    fix: "publish the list again: trustkern certs crl",
  },
  BROKER_FEED_AWAY: {
    exit: EXIT.resource,
    summary: "The backend does not say what is revoked; the broker keeps the lists that it has.",
    fix: "see why the backend is away: trustkern status",
  },
  BROKER_PAIR_INVALID: {
    exit: EXIT.configuration,
    summary: "The broker's certificate, key and trust anchors do not belong together; the ones in force stay.",
    fix: "renew the broker's certificate: trustkern certs renew",
  },
});
