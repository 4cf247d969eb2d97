import { catalogue, EXIT } from "../../shared/errors.ts";
import { refusalsOf } from "../signed-file/refusals.ts";

const ANOTHER_COPY =
  "take another copy from the site, or have it written anew there with `trustkern status --export FILE`";

/** Error codes of status files: why one is refused. */
export const statusFileErrors = catalogue({
  STATUS_FILE_MALFORMED: {
    exit: EXIT.configuration,
    summary:
      "The file is no status file as `trustkern status --export` writes it: cut short, edited, or something else.",
    fix: ANOTHER_COPY,
  },
  STATUS_FILE_OTHER_FORMAT: {
    exit: EXIT.failed,
    summary: "The file is signed by the key that is trusted, in a form that this version of the toolkit does not know.",
    fix: "read it with a toolkit of the site's version",
  },
  STATUS_FILE_KEY_NEEDED: {
    exit: EXIT.configuration,
    summary: "A status file is verified with a key that is trusted already, and none was named.",
    fix: "name the site's public key with --key FILE or its fingerprint with --fingerprint HEX, as you got it in person",
  },
  STATUS_FILE_KEY_INVALID: {
    exit: EXIT.configuration,
    summary: "What was named is no P-256 public key in PEM, or no fingerprint.",
    fix: "name the .pub file that came with the status file, and the fingerprint that was handed over in person: 64 hex digits",
  },
  STATUS_FILE_BAD_SIGNATURE: {
    exit: EXIT.authentication,
    summary: "The file was edited after it was signed, or another key signed it.",
    fix: ANOTHER_COPY,
  },
  STATUS_FILE_OTHER_KEY: {
    exit: EXIT.authentication,
    summary: "The key that came with the file, or was named, is not the one of the fingerprint that is trusted.",
    fix: "do not rely on the file; compare the fingerprint with the one that was handed over in person, and ask the site",
  },
  STATUS_FILE_INCONSISTENT: {
    exit: EXIT.policy,
    summary: "The file is signed and contradicts itself: a program that this toolkit did not write made it.",
    fix: "do not rely on it, and ask the site what wrote it",
  },
  STATUS_FILE_OTHER_DEPLOYMENT: {
    exit: EXIT.policy,
    summary: "The status file is of another deployment or tenant than was asked for, or than the folder is of.",
    fix: "ask for the status file of the deployment that you mean, or name this one with --deployment and --tenant",
  },
  STATUS_FILE_IN_FUTURE: {
    exit: EXIT.failed,
    summary: "The status file says that it was written later than now.",
    fix: "set the clock of this machine, or ask the site to set its own",
  },
  STATUS_FILE_TOO_OLD: {
    exit: EXIT.failed,
    summary: "The status file was written longer ago than --max-age allows.",
    fix: "have it written anew with `trustkern status --export FILE`",
  },
});

/** How a file is refused that is no status file, or not that of a trusted key. */
export const statusFileRefusals = refusalsOf(statusFileErrors, "STATUS_FILE");
