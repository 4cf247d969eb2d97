import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of what is done to the generations of a running deployment. */
export const generationErrors = catalogue({
  KEYS_JOURNAL_CORRUPT: {
    exit: EXIT.configuration,
    summary: "The journal of a rotation of generations is not one that this program wrote.",
    fix: "restore it from a copy, or remove it: `trustkern keys rotate` then goes on with the generation that is next, and waits for the whole overlap again",
  },
  KEYS_PACKAGE_DIFFERS: {
    exit: EXIT.policy,
    summary:
      "A generation's package is not the one that its ceremony made: somebody may have put another key in its place.",
    fix: "fetch the package from the ceremony's folder again, and compare it with what `trustkern keys transcript verify` shows behind `package`",
  },
  KEYS_ROTATION_ENDED: {
    exit: EXIT.policy,
    summary: "Somebody ended a rotation while it waited, such as by declaring a key compromised.",
    fix: "look at `trustkern keys list`; `trustkern keys rotate` begins with the generation that is next",
  },
  KEYS_OVERLAP_SHORT: {
    exit: EXIT.policy,
    summary: "The overlap is shorter than the deployment's schedule says, which only profile dev allows.",
    fix: "leave --overlap out; for a key that is in other hands there is `trustkern keys compromise`, which waits for nobody",
  },
  KEYS_OVERLAP_LONG: {
    exit: EXIT.configuration,
    summary: "The overlap is longer than the deployment's schedule says: by then the next rotation could be due.",
    fix: "leave --overlap out, or raise custody.schedule.overlap in trustkern.yaml for every rotation",
  },
  KEYS_DESTROY_EARLY: {
    exit: EXIT.policy,
    summary: "A generation may still be needed to open what is stored, so it is not destroyed yet.",
    fix: "wait until the day that the message names; `trustkern keys rotate --due` destroys it then",
  },
  KEYS_IN_USE: {
    exit: EXIT.policy,
    summary: "A generation is in use, so it is not destroyed: what its sensors send could not be opened.",
    fix: "let `trustkern keys rotate` replace an active or a next one; a sensor that stays behind may lack its update: look at the gateway that it is heard through, or revoke the sensor with `trustkern device revoke ID --sensor`",
  },
  KEYS_SIGNER_CHANGED: {
    exit: EXIT.policy,
    summary: "The key that vouches for custody's audit log is not the one that was pinned at the first start.",
    fix: "find out who put another store of keys there; only after a restore that you made yourself, move custody/signer.pem of the state directory away, and bring the deployment up again",
  },
  KEYS_SIGNER_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "No public key of custody's signer is pinned, so its audit log cannot be verified.",
    fix: "bring the deployment up with `trustkern up` or `trustkern deploy`, which pins it, or name its state directory with --dir",
  },
  KEYS_EVIDENCE_INVALID: {
    exit: EXIT.policy,
    summary: "Custody's signed statement of a compromise is not what was asked for, or not signed by the pinned key.",
    fix: "run the command line and custody of one release, and check the log with `trustkern keys audit verify`",
  },
});
