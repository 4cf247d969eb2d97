import { catalogue, EXIT } from "../../shared/errors.ts";
import { refusalsOf } from "../signed-file/refusals.ts";

const ANOTHER_COPY = "take another copy from whoever wrote it, or have it written anew with `trustkern evidence`";

/** Error codes of evidence: what cannot be written, and why a file is refused. */
export const evidenceErrors = catalogue({
  EVIDENCE_MALFORMED: {
    exit: EXIT.configuration,
    summary:
      "The file is not evidence as `trustkern evidence` writes it: cut short, edited, unsigned, or something else.",
    fix: ANOTHER_COPY,
  },
  EVIDENCE_KEY_NEEDED: {
    exit: EXIT.configuration,
    summary: "Evidence is verified with a key that is trusted already, and none was named.",
    fix: "name the public key with --key FILE or its fingerprint with --fingerprint HEX, as you got it from whoever signs",
  },
  EVIDENCE_KEY_INVALID: {
    exit: EXIT.configuration,
    summary: "What was named is no P-256 public key in PEM, or no fingerprint.",
    fix: "name the .pub file that came with the evidence, and the fingerprint that was handed over by another way: 64 hex digits",
  },
  EVIDENCE_BAD_SIGNATURE: {
    exit: EXIT.authentication,
    summary: "The file was edited after it was signed, or another key signed it.",
    fix: ANOTHER_COPY,
  },
  EVIDENCE_INCONSISTENT: {
    exit: EXIT.policy,
    summary:
      "The file is signed and contradicts itself: a program that this toolkit did not write made it, or another version did.",
    fix: "verify it with the toolkit of the version that it names, and ask whoever signed it",
  },
  EVIDENCE_OTHER_KEY: {
    exit: EXIT.authentication,
    summary: "The key that came with the evidence, or was named, is not the one of the fingerprint that is trusted.",
    fix: "do not rely on the evidence; compare the fingerprint with the one that was handed over by another way, and ask whoever signs",
  },
  EVIDENCE_OTHER_DEPLOYMENT: {
    exit: EXIT.policy,
    summary: "The evidence is of another deployment or tenant than was asked for, or than the folder is of.",
    fix: "ask for the evidence of the deployment that you mean, or name this one with --deployment and --tenant",
  },
  EVIDENCE_PAGE_CHANGED: {
    exit: EXIT.policy,
    summary: "A page beside the evidence is not the one that was signed.",
    fix: "do not read that page; take another copy of it from whoever wrote it",
  },
  EVIDENCE_IN_FUTURE: {
    exit: EXIT.failed,
    summary: "The evidence says that it was signed later than now.",
    fix: "set the clock of this machine, or ask whoever signed it",
  },
  EVIDENCE_TOO_OLD: {
    exit: EXIT.failed,
    summary: "What the evidence says was seen longer ago than --max-age allows.",
    fix: "have it written anew with `trustkern evidence`",
  },
  EVIDENCE_OTHER_VERSION: {
    exit: EXIT.failed,
    summary:
      "Another version of the toolkit wrote the evidence, and this one does not know what that one had to check.",
    fix: "verify it with the toolkit of the version that it names",
  },
});

/** How a file is refused that is no evidence, or not that of a trusted key. */
export const evidenceRefusals = refusalsOf(evidenceErrors, "EVIDENCE");
