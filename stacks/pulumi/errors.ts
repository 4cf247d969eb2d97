import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the Pulumi component. */
export const pulumiErrors = catalogue({
  PULUMI_ARGUMENTS: {
    exit: EXIT.configuration,
    summary: "The arguments of a TrustKernDeployment have mistakes; the report names each.",
    fix: "mend every line of the report; docs/guides/pulumi.md has the arguments",
  },
  PULUMI_ARGUMENT_UNKNOWN: {
    exit: EXIT.configuration,
    summary: "A TrustKernDeployment has no argument of that name.",
    fix: "take the argument that the report suggests, or delete it",
  },
  PULUMI_ARGUMENT_MISSING: {
    exit: EXIT.configuration,
    summary: "A required argument of a TrustKernDeployment is not there.",
    fix: "say deployment (what trustkern.yaml would say) and, with the engine docker, dir (the state directory on the host)",
  },
  PULUMI_ARGUMENT_VALUE: {
    exit: EXIT.configuration,
    summary: "An argument of a TrustKernDeployment has another type than it can have, or no meaning with the engine.",
    fix: "write one of the accepted values",
  },
  PULUMI_VALUE_UNKNOWN: {
    exit: EXIT.configuration,
    summary: "A value is not plain data, such as an Output: nobody could check it before it is used.",
    fix: "write the value itself; a secret is named by its component, and is no argument at all",
  },
  PULUMI_ENGINE: {
    exit: EXIT.configuration,
    summary: "The Pulumi component does not run deployments on that engine.",
    fix: "say engine: docker or engine: kubernetes in deployment; trustkern up runs engine: embedded",
  },
  PULUMI_OPTION: {
    exit: EXIT.policy,
    summary: "A resource option would change what is registered after it was checked.",
    fix: "use the argument transform, whose results are held against the model",
  },
  PULUMI_TRANSFORM: {
    exit: EXIT.configuration,
    summary: "A transform threw, or gave back something that is not the object it was handed.",
    fix: "give back nothing, or an object of the same kind and name with other inputs",
  },
  PULUMI_TRANSFORM_REFUSED: {
    exit: EXIT.policy,
    summary: "What a transform gave back grants something that the model does not.",
    fix: "take it out of the transform; a component has an exception with its reason where it needs more",
  },
});
