import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `certs/ceremony/`. */
export const ceremonyErrors = catalogue({
  CEREMONY_KEY_REUSED: {
    exit: EXIT.policy,
    summary: "Two authorities were given the same private key.",
    fix: "make a key of its own for each authority",
  },
  CEREMONY_CURVE: {
    exit: EXIT.policy,
    summary: "An authority's key is on another curve than its class has: P-384 for the root, P-256 for the others.",
    fix: "make the key on that curve; where the root's device has P-256 alone, accept that explicitly",
  },
  CEREMONY_NAME_INVALID: {
    exit: EXIT.configuration,
    summary: "Who conducts the ceremony, or who witnesses it, is not named so that a transcript can say it.",
    fix: "name people with 1 to 100 printable characters each, everybody once",
  },
  TRANSCRIPT_INVALID: {
    exit: EXIT.authentication,
    summary:
      "A ceremony's transcript is not what the root's key signed, or the certificates are not those of the ceremony.",
    fix: "compare with the copy of a witness; if that one verifies, restore it, else treat the authorities as not trustworthy",
  },
});
