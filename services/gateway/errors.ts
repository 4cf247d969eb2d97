import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the gateway. */
export const gatewayErrors = catalogue({
  GATEWAY_STATE_UNUSABLE: {
    exit: EXIT.resource,
    summary: "The gateway's database cannot be opened, or is damaged.",
    fix: "free space or mend the disk; if the file is damaged, move it aside: the backend sends the allowlist again, but messages in it that were not forwarded are only in that file",
  },
  GATEWAY_BACKEND_AWAY: {
    exit: EXIT.resource,
    summary: "The backend does not answer the gateway, or does not take its certificate.",
    fix: "check that the backend runs and that the gateway's certificate is in force; the gateway tries again by itself",
  },
  GATEWAY_BACKEND_REFUSED: {
    exit: EXIT.authentication,
    summary: "The backend refused the gateway's certificate with its token, or has locked it out for a while.",
    fix: "give it a new token: trustkern gateway token issue NAME; the gateway waits at least 15 minutes before it shows the old one again",
  },
  GATEWAY_BACKEND_PAUSED: {
    exit: EXIT.resource,
    summary: "The gateway has no certificate with a token, or was refused with it a short while ago.",
    fix: "give it a token: trustkern gateway token issue NAME",
  },
  GATEWAY_BACKEND_ANSWER: {
    exit: EXIT.resource,
    summary: "The backend answered the gateway with something else than what was asked for.",
    fix: "see the path for the backend's own error code, and compare the versions of both",
  },
  GATEWAY_ENROLMENT_UNUSABLE: {
    exit: EXIT.configuration,
    summary: "The gateway cannot enrol with the token, key and certificate that its configuration names.",
    fix: "put the device's own key and its maker's certificate where enrolment says, with the token of a kit of trustkern gateway export",
  },
  GATEWAY_RENEWAL_ANSWER: {
    exit: EXIT.authentication,
    summary: "The certificate that the gateway was given is not its own, or not of an authority that it trusts.",
    fix: "see the path for what is wrong with it; the gateway goes on with the old one, and asks again after an hour",
  },
  GATEWAY_BACKEND_KEY: {
    exit: EXIT.configuration,
    summary: "The file of backendKeyFile does not hold the backend's public key.",
    fix: "write the uncompressed P-256 point as 130 lower-case hex digits into it; `trustkern up` and `trustkern deploy` do",
  },
});
