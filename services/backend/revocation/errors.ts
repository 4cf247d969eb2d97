import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of recorded certificates, revocation lists and what gateways are told to trust. */
export const revocationErrors = catalogue({
  CERTIFICATE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "The backend has no record of a certificate of that serial number.",
    fix: "take it as `trustkern certs list --fleet` prints it",
  },
  CERTIFICATE_REFUSED: {
    exit: EXIT.policy,
    summary:
      "A chain cannot be recorded: it does not lead to this deployment's trust anchor, or says something else than known.",
    fix: "record a leaf and its intermediate, as this deployment's authorities issued them",
  },
  CRL_REFUSED: {
    exit: EXIT.policy,
    summary:
      "A revocation list cannot be taken: it is torn, expired, older than the one held, or not signed by its issuer.",
    fix: "make a new one with trustkern certs crl; the one that is held stays in force",
  },
  CRL_ISSUER_UNKNOWN: {
    exit: EXIT.configuration,
    summary: "The backend does not know the authority that issued a revocation list.",
    fix: 'send the authority\'s certificate with it, as "issuers"',
  },
  TRUST_INVALID: {
    exit: EXIT.configuration,
    summary: "What gateways are to trust is no set of self-signed authorities of this tenant.",
    fix: "give the PEM of each root, current and next",
  },
  TRUST_NONE: {
    exit: EXIT.notFound,
    summary: "No configuration for gateways was set yet.",
    fix: "give it to the backend with `trustkern certs crl --publish`",
  },
  FIRMWARE_NONE: {
    exit: EXIT.notFound,
    summary: "No release of the gateways' firmware was published yet.",
    fix: "publish one with PUT /v1/firmware",
  },
});
