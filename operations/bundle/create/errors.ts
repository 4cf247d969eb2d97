import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of `operations/bundle/create/`. */
export const bundleCreateErrors = catalogue({
  BUNDLE_NOT_TAKEN: {
    exit: EXIT.configuration,
    summary: "The deployment does not take its images from a bundle, so a site could not run what is in one.",
    fix: "set images.source to bundle in trustkern.yaml; the profile air-gapped has it by default",
  },
  BUNDLE_IMAGE_UNMAKEABLE: {
    exit: EXIT.configuration,
    summary:
      "The deployment has a component whose image comes from a registry alone, so that a bundle cannot have it, and its site could never deploy.",
    fix: "leave the component out in trustkern.yaml: images.grafana: absent",
  },
  BUNDLE_LOCK_FAILED: {
    exit: EXIT.failed,
    summary: "OpenTofu did not write down the hashes of its provider.",
    fix: "read its words above; remove `mirror-of-terraform-provider-docker-…` from the cache if they speak of it, then run the same command again",
  },
  BUNDLE_DOCUMENT_MISSING: {
    exit: EXIT.notFound,
    summary: "A document that every bundle has is not in the project's folder.",
    fix: "run the command from a whole copy of the project",
  },
});
