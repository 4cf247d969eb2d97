import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of what a cdktf app starts. */
export const cdktfErrors = catalogue({
  CDKTF_ARGUMENTS: {
    exit: EXIT.configuration,
    summary: "The arguments of a TrustKernStack have mistakes; the report names each.",
    fix: "say file (the path of trustkern.yaml) and, where they differ from the default, imageLock, provider, backend",
  },
  CDKTF_ENGINE: {
    exit: EXIT.configuration,
    summary: "The engine of the deployment has no Terraform stack, or not one that is asked for.",
    fix: "say engine: kubernetes in trustkern.yaml; `cdktf synth` in a clone takes engine: docker as well, and trustkern up runs engine: embedded",
  },
});
