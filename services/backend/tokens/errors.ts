import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of the gateways' bearer tokens. */
export const tokenErrors = catalogue({
  TOKEN_MISSING: {
    exit: EXIT.authentication,
    summary: "A gateway called the backend with its certificate and without a bearer token.",
    fix: "send Authorization: Bearer gw_…; trustkern gateway token issue makes one",
  },
  TOKEN_INVALID: {
    exit: EXIT.authentication,
    summary: "A bearer token is none of this gateway's.",
    fix: "issue a new one with trustkern gateway token issue",
  },
  TOKEN_EXPIRED: {
    exit: EXIT.authentication,
    summary: "A bearer token has expired.",
    fix: "issue a new one with trustkern gateway token issue",
  },
  TOKEN_REVOKED: {
    exit: EXIT.authentication,
    summary: "A bearer token is revoked.",
    fix: "issue a new one with trustkern gateway token issue",
  },
  TOKEN_OTHER_CERTIFICATE: {
    exit: EXIT.authentication,
    summary: "A bearer token is bound to another certificate than the one that the caller has.",
    fix: "use the token that was issued for this certificate, or issue one for it",
  },
  IDENTITY_LOCKED: {
    exit: EXIT.authentication,
    summary: "Five wrong tokens within a minute: this gateway is refused from this address for ten minutes.",
    fix: "wait until the time in the message; give the gateway its right token meanwhile",
  },
  CERTIFICATE_REVOKED: {
    exit: EXIT.authentication,
    summary: "The caller's certificate, or the authority that issued it, is revoked.",
    fix: "use a certificate that is not revoked",
  },
  ENROLMENT_TOKEN_INVALID: {
    exit: EXIT.authentication,
    summary: "A device enrols with no token, or with one that was not made for the gateway that it is.",
    fix: "give it the kit of its own name; make one with trustkern gateway export",
  },
  ENROLMENT_TOKEN_EXPIRED: {
    exit: EXIT.authentication,
    summary: "An enrolment token was not used in time.",
    fix: "make another kit with trustkern gateway export, which has another token",
  },
  ENROLMENT_TOKEN_USED: {
    exit: EXIT.authentication,
    summary: "An enrolment token works once, and has been used.",
    fix: "if that was the gateway itself and it did not hear the answer: trustkern gateway allow-again, then gateway export; if not, somebody else has its device's key: trustkern gateway revoke",
  },
  ENROLMENT_TOKEN_REVOKED: {
    exit: EXIT.authentication,
    summary: "An enrolment token was ended: a newer kit of the same gateway has another, or the gateway is revoked.",
    fix: "use the newest kit of this gateway",
  },
  TOKEN_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "The gateway has no token of that id.",
    fix: "list them with trustkern gateway token list",
  },
  TOKEN_LIMIT: {
    exit: EXIT.policy,
    summary: "The gateway has as many valid tokens as it may have.",
    fix: "revoke one that is no longer used: trustkern gateway token revoke",
  },
  TOKEN_NO_CERTIFICATE: {
    exit: EXIT.policy,
    summary: "A token is bound to a certificate, and the gateway has none that is valid and known here.",
    fix: "enrol the gateway, or record its certificate, then issue the token",
  },
});
