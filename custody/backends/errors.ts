import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `custody/backends/`. No message has a key, a passphrase or a PIN. */
export const custodyStoreErrors = catalogue({
  CUSTODY_KEY_MISSING: {
    exit: EXIT.notFound,
    summary: "The store of decryption keys holds no key of that id.",
    fix: "open the store that the key was made in, or restore its keys from a backup or from escrow",
  },
  CUSTODY_IDENTITY_INVALID: {
    exit: EXIT.configuration,
    summary: "The file of an age identity holds none, or more than one.",
    fix: "give a file with one line `AGE-SECRET-KEY-…`, as `age-keygen` writes it, mode 0600, without a passphrase",
  },
  CUSTODY_PCRS_CHANGED: {
    exit: EXIT.policy,
    summary:
      "The TPM does not unseal: the host was started with other firmware or software than the store was sealed to.",
    fix: "go back to the firmware and the software that were measured, or make a new store and restore its keys from escrow",
  },
  CUSTODY_PCRS_SELECTION: {
    exit: EXIT.configuration,
    summary: "A choice of PCRs cannot be sealed to, or is another than the store was sealed to.",
    fix: "give a bank and its registers, such as `sha256:0,2,4,7`: those that the store was made with",
  },
  CUSTODY_STORE_CLOSED: {
    exit: EXIT.resource,
    summary: "The store of decryption keys was closed, and holds nothing any more.",
    fix: "unseal custody",
  },
  CUSTODY_STORE_CORRUPT: {
    exit: EXIT.resource,
    summary: "A file of the store is not what custody wrote: bytes changed or were cut off.",
    fix: "restore that file from a backup of the store, and check the disk",
  },
  CUSTODY_STORE_MISPLACED: {
    exit: EXIT.resource,
    summary: "A file of the store lies under another name than its own: it was renamed or copied.",
    fix: "give it back the name that the message says, or remove the copy",
  },
  CUSTODY_STORE_FOREIGN: {
    exit: EXIT.authentication,
    summary:
      "A file of the store is whole, and was made for another identity, device or key service than the one here.",
    fix: "name the identity, device or key that the store was made with, or restore the keys from escrow",
  },
  CUSTODY_STORE_INCOMPLETE: {
    exit: EXIT.resource,
    summary: "The store has keys, and lacks the file that vouches for them or opens them.",
    fix: "restore the whole folder of the store from one backup; starting anew would leave stored ciphertext unreadable",
  },
  CUSTODY_STORE_UNREADABLE: {
    exit: EXIT.resource,
    summary: "A file of the store is there, and the file system does not let custody read it.",
    fix: "let custody's user read the folder of the store, and check the disk",
  },
  CUSTODY_STORE_UNWRITABLE: {
    exit: EXIT.resource,
    summary: "The store could not be changed; what was there is untouched.",
    fix: "free space on the file system of the store, and let custody's user write there",
  },
  CUSTODY_STORE_KEY_EXTRACTABLE: {
    exit: EXIT.policy,
    summary: "A decryption key on a token can be read out of it, so that the token protects nothing.",
    fix: "remove that key with the token's own tools, after its data is sealed to a generation that the token made",
  },
  CUSTODY_STORE_IMPORT_REFUSED: {
    exit: EXIT.policy,
    summary: "The token takes no private key that was made elsewhere.",
    fix: "let the token make the generation, or choose another back end for keys of ceremonies",
  },
  CUSTODY_STORE_ADDRESS: {
    exit: EXIT.configuration,
    summary: "The address of a key service, or the file of its authority, cannot be used.",
    fix: "give an https:// address of a host and a port, the names as the service has them, and a PEM file that custody's user may read",
  },
  CUSTODY_STORE_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "The key service does not answer in time, or its certificate does not verify.",
    fix: "check its address, the network between, and that caFile is the authority of its certificate",
  },
  CUSTODY_STORE_DENIED: {
    exit: EXIT.authentication,
    summary: "The key service does not let custody use the wrapping key.",
    fix: "renew the token or the credentials, and let their policy read the key's description, encrypt and decrypt with it",
  },
  CUSTODY_STORE_WRAP_KEY_MISSING: {
    exit: EXIT.resource,
    summary: "The key service has no wrapping key of that name.",
    fix: "mend the name, the mount or the region; make the key with the service's own tools when the store is new",
  },
  CUSTODY_STORE_WRAP_KEY_UNFIT: {
    exit: EXIT.policy,
    summary:
      "The wrapping key protects nothing, or cannot be used: it can be read out, is of another kind, or is disabled.",
    fix: "enable it, or make one that never leaves the service, and put the keys into a new store under it from escrow or by rotation",
  },
  CUSTODY_STORE_SERVICE_SEALED: {
    exit: EXIT.resource,
    summary: "The key service is sealed, or is a standby that answers for another node.",
    fix: "unseal it, or name the node that is active",
  },
  CUSTODY_STORE_THROTTLED: {
    exit: EXIT.resource,
    summary: "The key service refuses because of too many requests.",
    fix: "wait and unseal custody again, or raise the service's limit",
  },
  CUSTODY_STORE_SERVICE_FAILED: {
    exit: EXIT.resource,
    summary: "The key service answers in a way that it is not documented to.",
    fix: "read the service's own words in the message, and its log",
  },
  CUSTODY_STORE_SDK_MISSING: {
    exit: EXIT.resource,
    summary: "The package that speaks to AWS KMS is not installed: it is optional.",
    fix: "run `npm install --include=optional` in the project's folder",
  },
});
