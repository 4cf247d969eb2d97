import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of rendering a model for Kubernetes. */
export const kubernetesStackErrors = catalogue({
  KUBERNETES_COMPONENT: {
    exit: EXIT.configuration,
    summary:
      "A component says too little, or asks for what PodSecurity restricted refuses: root, capabilities, sockets or devices of a node.",
    fix: "keep its keys in a server (custody.kind vault or aws-kms, pki.issuing.kind aws-kms), or take the engine docker",
  },
  KUBERNETES_NAME_LONG: {
    exit: EXIT.configuration,
    summary: "A component's name is too long for a StatefulSet, whose pods have its name and more in a label.",
    fix: "give the gateway a name of at most 52 characters, or run it elsewhere with gatewaysElsewhere",
  },
  KUBERNETES_POD: {
    exit: EXIT.configuration,
    summary: "Components that a Unix socket joins cannot be one pod: they differ in zone or in how often they run.",
    fix: "join them over the network with mtls, or give them one zone and as many replicas",
  },
  KUBERNETES_IMAGE_UNPINNED: {
    exit: EXIT.configuration,
    summary:
      "Images have no digest: a cluster would run whatever their tags are moved to, and nobody can say whether it runs what was planned.",
    fix: "put the images.lock.yaml that the deployment was made with beside its file; where there was none yet, trustkern images lock writes it",
  },
  KUBERNETES_TERRAFORM: {
    exit: EXIT.policy,
    summary: "The Terraform resources do not say what the objects of the plan say.",
    fix: "take back what changes a resource of the stack, such as an override or an aspect; an object that needs a word which the provider lacks goes by trustkern export kubernetes",
  },
  KUBERNETES_REFUSED: {
    exit: EXIT.policy,
    summary: "The rendered objects grant what the model does not.",
    fix: "mend what the report names; an export of ours breaks no line of it, so find out what changed it",
  },
});
