import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of `certs/`. */
export const certsErrors = catalogue({
  CERT_NAME_INVALID: {
    exit: EXIT.configuration,
    summary: "A name cannot stand in this class of certificate.",
    fix: "use a dotted DNS name or an IP address, and a common name with the prefix of its class (svc-, gw-, op-)",
  },
  CERT_LIFETIME_RANGE: {
    exit: EXIT.configuration,
    summary: "A certificate's lifetime is outside the range of its class.",
    fix: "choose a lifetime within the range that the message names",
  },
  CERT_OUTLIVES_ISSUER: {
    exit: EXIT.policy,
    summary: "A certificate would be valid longer than the authority that issues it.",
    fix: "choose a shorter lifetime, or renew the issuing authority first",
  },
  CERT_ISSUER_WRONG: {
    exit: EXIT.policy,
    summary: "An authority was asked for a class of certificate, or a tenant, that is not its own.",
    fix: "issue it with the authority of that class and tenant",
  },
  CERT_AUTHORITY_INVALID: {
    exit: EXIT.resource,
    summary:
      "A stored authority cannot be used: its certificate or its private key cannot be read, or they do not belong together.",
    fix: "restore both files from a backup, or issue the authority again",
  },
  CRL_INVALID: {
    exit: EXIT.configuration,
    summary: "A revocation list cannot be made of what was given.",
    fix: "give a greater number than the last list's, each certificate once, and a lifetime of more than 72 hours",
  },
  PKCS12_PASSPHRASE: {
    exit: EXIT.configuration,
    summary: "A passphrase cannot protect a PKCS #12 file that every system opens.",
    fix: "use 12 to 128 of printable ASCII; `openssl rand -base64 24` makes one",
  },
  LEDGER_CORRUPT: {
    exit: EXIT.resource,
    summary: "The log of issued and revoked certificates cannot be read, or was changed.",
    fix: "run `trustkern certs audit verify`, keep the file for whoever investigates, and restore it from a backup",
  },
});
