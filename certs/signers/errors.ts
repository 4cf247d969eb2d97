import { catalogue, EXIT } from "../../shared/errors.ts";

/** How a clone's native add-on for PKCS #11 is built: from the headers that the pinned Node.js brings. */
const BUILD_ADDON =
  'run `npm_config_nodedir="$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")" npm rebuild pkcs11js` in the project\'s folder; it needs a C++ compiler, make and Python 3';

/** Error codes of `certs/signers/`. No message has a PIN, a passphrase or a key. */
export const signersErrors = catalogue({
  SIGNER_PASSPHRASE_WRONG: {
    exit: EXIT.authentication,
    summary: "The passphrase does not open the file of a private key.",
    fix: "give the passphrase that the file was made with",
  },
  SIGNER_PIN_WRONG: {
    exit: EXIT.authentication,
    summary: "A PKCS #11 token refuses the PIN, or a TPM the authorization.",
    fix: "mend the file with the PIN; most tokens lock themselves after a few wrong ones",
  },
  SIGNER_PIN_LOCKED: {
    exit: EXIT.authentication,
    summary: "A PKCS #11 token has locked itself after wrong PINs, or a TPM is in lock-out.",
    fix: "unlock the token with its security officer's PIN, or wait until the TPM's lock-out is over",
  },
  SIGNER_SECRET_UNREADABLE: {
    exit: EXIT.configuration,
    summary: "The file with a PIN or a token cannot be read, or is empty.",
    fix: "name a file that holds it on its first line, readable by who runs this",
  },
  SIGNER_URI_INVALID: {
    exit: EXIT.configuration,
    summary: "A URI that should name a key on a token or in a TPM does not.",
    fix: "write pkcs11:token=TOKEN;object=LABEL?module-path=/LIBRARY.so&pin-source=/FILE, or tpm2:device=/dev/tpmrm0;file=/FILE; a PIN stands in a file alone",
  },
  SIGNER_ADDON_MISSING: {
    exit: EXIT.resource,
    summary: "The native add-on for PKCS #11 is not built: packages are installed without their scripts.",
    fix: BUILD_ADDON,
  },
  SIGNER_MODULE_MISSING: {
    exit: EXIT.configuration,
    summary: "The library that drives a PKCS #11 token cannot be loaded.",
    fix: "install the token's software, and name its shared library by an absolute path",
  },
  SIGNER_TOKEN_MISSING: {
    exit: EXIT.resource,
    summary: "There is no such token, TPM or KMS, or it does not answer.",
    fix: "connect the device, and hold its label or path to what it is called (`pkcs11-tool -L`, `ls /dev/tpm*`)",
  },
  SIGNER_KEY_MISSING: {
    exit: EXIT.resource,
    summary: "The private key is not where the configuration says.",
    fix: "mend the name, restore the key's file from a backup, or make the key with `trustkern certs init`",
  },
  SIGNER_KEY_EXISTS: {
    exit: EXIT.policy,
    summary: "A key of that name is there already, and is not replaced.",
    fix: "take another name, or remove the old key with its device's own tools after you know that nothing needs it",
  },
  SIGNER_KEY_EXTRACTABLE: {
    exit: EXIT.policy,
    summary: "A key on a token can be read out of it, so that the token protects nothing.",
    fix: "make a new key with `trustkern certs init` or `trustkern certs rotate`: it is made on the token and never leaves it",
  },
  SIGNER_KEY_CORRUPT: {
    exit: EXIT.resource,
    summary: "The stored private key cannot be used: it was changed, or it belongs to another device.",
    fix: "restore it from a backup, or connect the device that it was made with",
  },
  SIGNER_POLICY_REFUSED: {
    exit: EXIT.policy,
    summary: "A TPM refuses a secret whose policy is not met: the host was not started with what was measured.",
    fix: "start the host with the firmware and the software that the secret was sealed to",
  },
  SIGNER_CURVE_UNSUPPORTED: {
    exit: EXIT.configuration,
    summary: "The device does not make keys on this curve, or the key is on another curve than is asked for.",
    fix: "take a device with P-384 for the root, or choose P-256 for it explicitly",
  },
  SIGNER_TOOLS_MISSING: {
    exit: EXIT.resource,
    summary: "A program that talks to the device is not installed.",
    fix: "install it (Debian: apt-get install tpm2-tools; for AWS KMS the `aws` command line)",
  },
  SIGNER_FAILED: {
    exit: EXIT.resource,
    summary: "The device refused to make a key or a signature, or its signature does not verify.",
    fix: "read the device's own words in the message; try again after reconnecting it",
  },
});
