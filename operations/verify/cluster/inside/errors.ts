import { catalogue, EXIT } from "../../../../shared/errors.ts";

/** Codes of what keeps a pod from being looked into. */
export const insideErrors = catalogue({
  POD_NOT_LOOKED_INTO: {
    exit: EXIT.failed,
    summary: "A pod could not be looked into, or gave no whole answer: what it was to show is not proven.",
    fix: "see whether kubectl exec works for this user and the pod is well, and run the verification again",
  },
});
