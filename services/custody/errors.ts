import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the crypto service. */
export const custodyServiceErrors = catalogue({
  CUSTODY_FIXTURE_INVALID: {
    exit: EXIT.configuration,
    summary: "The fixture is not a vectors file with the private key of its recipient.",
    fix: "name a file in the form of envelope-v1.json, or leave fixtureFile out",
  },
  CUSTODY_CLASS_BELOW: {
    exit: EXIT.policy,
    summary: "The store of decryption keys is less well protected than the deployment says that it must be.",
    fix: "name a better place for the keys, or lower custody.class in trustkern.yaml with a reason in custody.acceptSoftware",
  },
  CUSTODY_PASSPHRASE_NEEDED: {
    exit: EXIT.authentication,
    summary: "The decryption keys are in files that a person's passphrase opens at each start, and none was given.",
    fix: "run `trustkern keys unseal` on a terminal of the host, where it asks for the passphrase",
  },
  CUSTODY_PASSPHRASE_UNASKED: {
    exit: EXIT.configuration,
    summary: "A passphrase was given to a store of keys that opens without a person.",
    fix: "run `trustkern keys unseal` with the trustkern.yaml that was deployed: it asks only where custody waits for a person",
  },
  CUSTODY_REQUEST_INVALID: {
    exit: EXIT.configuration,
    summary: "A member of a request to manage keys is missing or wrong; the message names it and what is accepted.",
    fix: "correct that member",
  },
});
