import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the custody service. */
export const custodyServiceErrors = catalogue({
  CUSTODY_FIXTURE_INVALID: {
    exit: EXIT.configuration,
    summary: "The fixture is not a vectors file with the private key of its recipient.",
    fix: "name a file in the form of envelope-v1.json, or leave fixtureFile out",
  },
  CUSTODY_SEALED: {
    exit: EXIT.resource,
    summary: "Custody is sealed: its keys are not in memory, and nothing is opened.",
    fix: "unseal it on its control socket (POST /unseal), or restart the service",
  },
});
