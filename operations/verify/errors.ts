import { catalogue, EXIT } from "../../shared/errors.ts";

/** Codes of what keeps the proof of the boundary from looking. */
export const verifyErrors = catalogue({
  ENGINE_NOT_ISOLATED: {
    exit: EXIT.failed,
    summary: "The embedded engine has no isolation between components, so there is nothing beyond the model to prove.",
    fix: "say engine: docker or engine: kubernetes in trustkern.yaml; examples/single-host is a deployment of the first",
  },
});
