import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the online authorities' client. */
export const stepCaErrors = catalogue({
  STEP_CA_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "An online authority does not answer, or is not who it should be.",
    fix: "start it (trustkern status), and see that the root certificate is that of the deployment",
  },
  STEP_CA_REFUSED: {
    exit: EXIT.authentication,
    summary: "An online authority refused to sign or to revoke; the path names the reason.",
    fix: "see the reason: the backend's events have the same refusal with the device's name",
  },
  STEP_CA_ANSWER: {
    exit: EXIT.resource,
    summary: "An online authority answered something that is not what was asked for.",
    fix: "see that the address is that of the deployment's own step-ca, of the version that it was deployed with",
  },
});
