import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of `custody/`. */
export const custodyErrors = catalogue({
  CUSTODY_PASSPHRASE_WRONG: {
    exit: EXIT.authentication,
    summary: "The passphrase does not open the custody state; the state itself is intact.",
    fix: "put the passphrase that this state was made with into the custody passphrase file, or restore both from one backup",
  },
  CUSTODY_PASSPHRASE_MISSING: {
    exit: EXIT.configuration,
    summary: "The file of a passphrase is missing, unreadable or empty.",
    fix: "write the passphrase into that file, mode 0600, one line",
  },
  CUSTODY_PASSPHRASE_WEAK: {
    exit: EXIT.configuration,
    summary: "A passphrase is too short to stand between a copied file and a key that is good for decades.",
    fix: "take six random words or more, or `openssl rand -base64 24`",
  },
  CUSTODY_STATE_CORRUPT: {
    exit: EXIT.resource,
    summary:
      "The custody state is not what custody wrote last: bytes changed or were cut off, it is older than its audit log or its key store, or they contradict each other.",
    fix: "restore state, audit log and key store together from the newest backup; starting without them would make a new key and leave stored ciphertext unreadable",
  },
  CUSTODY_STATE_UNREADABLE: {
    exit: EXIT.resource,
    summary: "The custody state is there, but the file system does not let the service read it.",
    fix: "let the service's user read the custody state file, and check the disk",
  },
  CUSTODY_STATE_UNWRITABLE: {
    exit: EXIT.resource,
    summary: "The custody state could not be written; the state before it is untouched.",
    fix: "free space on the file system of the custody state directory and let the service write there",
  },
  CUSTODY_WORK_FACTOR_RANGE: {
    exit: EXIT.configuration,
    summary: "The scrypt work factor is out of range, or too low for a passphrase that a person may have chosen.",
    fix: "leave scryptWorkFactor out, or use a passphrase of 64 random hexadecimal digits with a lower one",
  },
  CUSTODY_KEY_INVALID: {
    exit: EXIT.configuration,
    summary: "A key offered for import is not a raw X25519 private key of 32 bytes.",
    fix: "give the 32 bytes of an X25519 private key, in a vectors file as 64 hexadecimal digits",
  },
  CUSTODY_GENERATION_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "No key generation has that key id.",
    fix: "take a key id that `trustkern keys list` shows",
  },
  CUSTODY_GENERATION_STATE: {
    exit: EXIT.policy,
    summary: "A key generation may not go from its state to the one asked for.",
    fix: "see the states with `trustkern keys list`: next -> active -> retired -> destroyed, or next -> destroyed; `trustkern keys rotate` retires the active one, what was destroyed never comes back, and what was blocked stays blocked",
  },
  CUSTODY_CHANGE_INVALID: {
    exit: EXIT.configuration,
    summary: "A change of the keyring asks for a value that its state cannot hold.",
    fix: "give times as RFC 3339 in UTC, and a reason of 1 to 500 characters",
  },
  CUSTODY_KEYRING_CLOSED: {
    exit: EXIT.resource,
    summary: "The keyring is closed, and opens nothing.",
    fix: "run `trustkern keys unseal` on the host of custody",
  },
  CUSTODY_ROLE: {
    exit: EXIT.resource,
    summary:
      "The folders of a custody are those of the other role: one that follows never becomes a writer by itself, nor a writer one that follows.",
    fix: "give each custody the volumes that it had; to have it follow from the beginning, keep its volumes for the auditor and start it with empty ones",
  },
  CUSTODY_PACKAGE_MALFORMED: {
    exit: EXIT.configuration,
    summary: "A file is no generation package, byte for byte as a ceremony writes it.",
    fix: "give the file `generation-….package.json` of the ceremony, unchanged",
  },
  CUSTODY_PACKAGE_FOREIGN: {
    exit: EXIT.policy,
    summary: "A generation package is for another tenant, or sealed to another custody's import key.",
    fix: "hold the ceremony, or `trustkern keys restore`, with the import key that `trustkern keys list` shows here",
  },
  CUSTODY_PACKAGE_CORRUPT: {
    exit: EXIT.authentication,
    summary: "A generation package does not open, or what is in it is not the private key that it names.",
    fix: "copy the package again from the ceremony's medium, or make it anew with `trustkern keys restore`",
  },
  CUSTODY_FRAME_MALFORMED: {
    exit: EXIT.failed,
    summary: "A frame on the KEM socket is not one that custody and collector exchange; that connection is closed.",
    fix: "run the collector and the custody service of one release",
  },
});
