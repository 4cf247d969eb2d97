import { catalogue, EXIT } from "../../../shared/errors.ts";

const AS_RENDERED =
  "export the objects again with `trustkern export kubernetes`, and find out who or what changed them";
const refused = (summary: string, fix = AS_RENDERED) => ({ exit: EXIT.policy, summary, fix });

/** Error codes of the check of rendered objects. */
export const objectErrors = catalogue({
  OBJECT_SHAPE: refused("Something among the objects is not in the form of one."),
  OBJECT_KIND: refused("The objects are not those of the model: one is missing, there twice, or of no component."),
  OBJECT_MEMBER: refused("An object has a member that none of ours has, or lacks one, or says another value."),
  OBJECT_SECRET: refused(
    "An object holds what looks like a secret. Whoever reads the repository or the API would have it.",
    "name the secret in the component's secrets, and let its program read the file",
  ),
  OBJECT_SECURITY: refused(
    "A pod gets rights of its node, may gain privileges, writes its root file system, or PodSecurity is weaker than restricted.",
  ),
  OBJECT_TOKEN: refused("A pod gets a token for the API of the cluster, or another's account."),
  OBJECT_MOUNT: refused(
    "A pod sees a folder of its node, another component's secret, or something else than its component says.",
  ),
  OBJECT_IMAGE: refused(
    "An image is not the one that the lock names, by its digest.",
    "write the lock anew with `trustkern images lock`",
  ),
  OBJECT_LIMIT: refused("A container may use more memory, processors or disk than its component, or has no limit."),
  OBJECT_COMMAND: refused("A container runs another program than its component, or with other variables."),
  OBJECT_HEALTH: refused("Nobody would learn that a pod is ill, or it would be ended for it where it must not be."),
  OBJECT_POLICY: refused("The network policies let more connect, or less, than the model's flows say."),
  OBJECT_SERVICE: refused("A service leads to other pods or ports, or hands out what is not published."),
  OBJECT_RUNNING: refused("A workload is updated, scaled or put out otherwise than without losing a message."),
  OBJECT_CONFIG: refused("The configuration of a component is not the one that the model renders."),
  OBJECT_STRANGER: refused(
    "Something runs in the namespace, or in a pod of the deployment, that nothing of it has put there.",
    "find out who put it there, and remove it",
  ),
  OBJECT_LABEL: refused("An object has other labels, so that selectors and policies would take it for another's."),
});
