import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of looking at a deployment from inside its networks. */
export const probeErrors = catalogue({
  PROBE_FAILED: {
    exit: EXIT.failed,
    summary: "A probe of the verification did not run, or did not end in time: what it was to look at is not proven.",
    fix: "look whether the image is there (`trustkern images list`), whether the host has memory and processors left, and run the verification again",
  },
});
