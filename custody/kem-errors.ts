import { catalogue, EXIT, type TrustKernError } from "../shared/errors.ts";

/** Error codes of whoever asks custody to open something. None of them is a verdict about a message. */
export const kemErrors = catalogue({
  CUSTODY_SEALED: {
    exit: EXIT.resource,
    summary: "Custody is sealed: its keys are not in memory, and nothing is opened.",
    fix: "run `trustkern keys unseal` on the host of custody",
  },
  CUSTODY_KEM_MALFORMED: {
    exit: EXIT.configuration,
    summary: "A request to open KEM ciphertexts has the wrong form; the message says which part.",
    fix: "send 1 to 1024 items of a key id (8 bytes) and an encapsulated key (32 bytes), and say whether they are live or stored",
  },
  CUSTODY_KEM_RATE: {
    exit: EXIT.policy,
    summary: "More is to be opened at once, or in a second, than the custody broker lets one client open.",
    fix: "ask again later, or raise itemsPerSecond or itemsInFlight of the custody broker",
  },
  CUSTODY_KEM_UNAVAILABLE: {
    exit: EXIT.resource,
    summary: "The crypto service is away, does not answer in time, or cannot write its record, so nothing is opened.",
    fix: "see what its status says, and free space on the disk of the audit log",
  },
});

/** The error of a sealed custody: its message is the one word that clients of any language look for. */
export function sealed(): TrustKernError {
  return kemErrors.error("CUSTODY_SEALED", "SEALED");
}
