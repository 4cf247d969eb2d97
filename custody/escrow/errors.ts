import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `custody/escrow/`. */
export const escrowErrors = catalogue({
  CUSTODY_SHARE_NOT_ONE: {
    exit: EXIT.configuration,
    summary: "What was given as a share is no share: it does not begin as one, or is of another format version.",
    fix: "give a share as the ceremony handed it out: one line that begins with tkshare1, or the age file with it",
  },
  CUSTODY_SHARE_CORRUPT: {
    exit: EXIT.failed,
    summary: "A share's own checksum says that characters of it are wrong, missing or too many.",
    fix: "copy that share again from its holder's paper or file, or take another holder's",
  },
  CUSTODY_SHARE_UNREADABLE: {
    exit: EXIT.authentication,
    summary: "The age file of a share does not open with the identities that were given, or is damaged.",
    fix: "give the holder's identity file with -i, or have the holder open the file with age -d and type the share",
  },
  CUSTODY_SHARE_FOREIGN: {
    exit: EXIT.policy,
    summary: "A share is of another tenant's escrow.",
    fix: "take the shares of the tenant whose escrow file this is",
  },
  CUSTODY_SHARE_OTHER_GENERATION: {
    exit: EXIT.configuration,
    summary: "A share is of another key generation of the same tenant.",
    fix: "take the shares of the generation that the escrow file names, or the escrow file of the shares' generation",
  },
  CUSTODY_SHARE_OTHER_SET: {
    exit: EXIT.configuration,
    summary: "A share is of another set for the same generation: from before or after a re-share.",
    fix: "take shares of one set alone, with the escrow file that was written with them",
  },
  CUSTODY_SHARE_DUPLICATE: {
    exit: EXIT.configuration,
    summary: "One share was given twice; it counts once.",
    fix: "give each share once, and another holder's in its place",
  },
  CUSTODY_SHARE_FORGED: {
    exit: EXIT.authentication,
    summary: "A share is whole by its own checksum, and is not the one that the ceremony dealt under that number.",
    fix: "find out who made it; restore with the shares of other holders",
  },
  CUSTODY_SHARE_EXPOSED: {
    exit: EXIT.policy,
    summary:
      "A share or an age identity itself stood on the command line, where every process of the machine can read it.",
    fix: "name the file that has it, or type the share when asked; then deal anew with `trustkern keys reshare`: this one was exposed",
  },
  CUSTODY_SHARES_TOO_FEW: {
    exit: EXIT.configuration,
    summary: "Fewer shares were given than the threshold; they say nothing about the key.",
    fix: "bring as many more holders as the message says",
  },
  CUSTODY_ESCROW_QUORUM: {
    exit: EXIT.configuration,
    summary: "The threshold or the number of holders is one that no escrow can have.",
    fix: "take a threshold of 2 or more, and at least as many holders, at most 255",
  },
  CUSTODY_ESCROW_HOLDER: {
    exit: EXIT.configuration,
    summary:
      "A holder of a share is not named so that files can carry the name, is named twice, or could not be handed the share.",
    fix: "name each holder once with a-z 0-9 -, with an age recipient or with --print",
  },
  CUSTODY_ESCROW_OPERATOR: {
    exit: EXIT.policy,
    summary: "The deployment's profile does not let a holder's organisation hold a share of the decryption key.",
    fix: "name holders whom the profile allows; trustkern profile explain PROFILE says which",
  },
  CUSTODY_ESCROW_CORRUPT: {
    exit: EXIT.resource,
    summary: "The escrow file is not what a ceremony wrote, or what it holds is not the key that it names.",
    fix: "take another copy of the escrow file: it is no secret, and every holder can have one",
  },
  CUSTODY_ESCROW_REPLACED: {
    exit: EXIT.policy,
    summary:
      "The escrow file is of a set of shares that a later re-share replaced; it and its shares still restore the key.",
    fix: "take the escrow file of the set that the message names, and have this one and every share of its set destroyed",
  },
  CUSTODY_ESCROW_FOLDER: {
    exit: EXIT.resource,
    summary: "The folder for what a ceremony makes has something in it, or cannot be written.",
    fix: "name a folder with -o that is not there yet, or is empty, on a medium that may be written",
  },
  CUSTODY_KEY_TRANSCRIPT_INVALID: {
    exit: EXIT.authentication,
    summary: "The transcript of a generation's ceremonies is not what its ceremony key signed, line after line.",
    fix: "compare with the copy of a witness; restore that one if it verifies",
  },
});
