import { catalogue, EXIT } from "../../../shared/errors.ts";

const ANEW =
  "run `trustkern deploy`, which writes it anew; where nobody changed trustkern.yaml since the last one, find out who changed the file";

/** Codes of what the rendered layer finds on this host's disk. */
export const renderedLayerErrors = catalogue({
  DEPLOYED_STACK_DIFFERS: {
    exit: EXIT.policy,
    summary: "The stack that OpenTofu or Terraform was last given is not the one that the model renders.",
    fix: ANEW,
  },
  DEPLOYED_FILE_DIFFERS: {
    exit: EXIT.policy,
    summary: "A configuration file that a container mounts is not the one that the model renders, or is gone.",
    fix: ANEW,
  },
  DEPLOYED_UNREADABLE: {
    exit: EXIT.failed,
    summary: "What the last deploy left on this host cannot be read, so nothing is proven about it.",
    fix: "run this as the user who deploys",
  },
});
