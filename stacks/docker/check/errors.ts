import { catalogue, EXIT } from "../../../shared/errors.ts";

const refused = (summary: string, fix: string) => ({ exit: EXIT.policy, summary, fix });
const AS_RENDERED =
  "run `trustkern deploy`, which writes the stack as the model says it and mends what runs; find out who changed it";

/** Error codes of the check of a rendered stack. */
export const renderedErrors = catalogue({
  RENDERED_SHAPE: refused("The rendered stack, or a part of it, is not in the form that `synth` writes.", AS_RENDERED),
  RENDERED_ELEMENT: refused(
    "The rendered stack has something that is no network, image or container, such as a data source, an output or a volume.",
    AS_RENDERED,
  ),
  RENDERED_ATTRIBUTE: refused("A resource has an attribute that no stack of ours has.", AS_RENDERED),
  RENDERED_EXPRESSION: refused(
    "A text holds a Terraform expression, which could read a file or the environment.",
    "use no ${ and no %{ in names, arguments and environment of a component",
  ),
  RENDERED_PROVIDER: refused("The provider is not the pinned one, or is pointed at another machine.", AS_RENDERED),
  RENDERED_BACKEND: refused(
    "The state would be kept elsewhere than trustkern.yaml says.",
    "say where it belongs under state in trustkern.yaml",
  ),
  RENDERED_SECRET: refused(
    "The rendered stack holds what looks like a secret. Terraform keeps every attribute in its state.",
    "name the secret in the component's secrets, and let its program read the file",
  ),
  RENDERED_CONTAINER: refused("The containers are not the model's components, or have other labels.", AS_RENDERED),
  RENDERED_PRIVILEGED: refused(
    "A container gets rights of the host: devices, kernel parameters, or all of them.",
    AS_RENDERED,
  ),
  RENDERED_NAMESPACE: refused("A container shares a namespace of the host or of another container.", AS_RENDERED),
  RENDERED_NETWORK: refused(
    "A network is missing, is no flow's, lets data leave, has foreign labels, another subnet than planned, or a bridge by a name that the host's rules do not know.",
    AS_RENDERED,
  ),
  RENDERED_NETWORK_MEMBER: refused(
    "The networks of a container are not exactly those of its flows and of what it publishes.",
    AS_RENDERED,
  ),
  RENDERED_NAME: refused(
    "A container answers to a name that belongs to another, or asks a resolver of the host.",
    AS_RENDERED,
  ),
  RENDERED_ADDRESS: refused(
    "A container has another address in a network than the one that its ports listen on.",
    AS_RENDERED,
  ),
  RENDERED_MOUNT: refused("The mounts of a container are not exactly those of its component.", AS_RENDERED),
  RENDERED_MOUNT_WRITABLE: refused("A container may write what it is only to read.", AS_RENDERED),
  RENDERED_CAPABILITY: refused("A container keeps a Linux capability that no exception grants.", AS_RENDERED),
  RENDERED_PRIVILEGES_NEW: refused("A container's process may gain privileges.", AS_RENDERED),
  RENDERED_USER: refused("A container runs as root, or as a user who is not the deployment's.", AS_RENDERED),
  RENDERED_ROOTFS: refused("A container may write its root file system.", AS_RENDERED),
  RENDERED_TMPFS: refused(
    "The folders in memory of a container are not those that its component declares, or have no bound.",
    AS_RENDERED,
  ),
  RENDERED_LIMIT: refused(
    "A container may use more memory or more of the processors than its component, or may swap.",
    AS_RENDERED,
  ),
  RENDERED_HEALTH: refused("Nobody would learn, or not in time, that a container is ill.", AS_RENDERED),
  RENDERED_RESTART: refused("A container is not started again as its component needs it.", AS_RENDERED),
  RENDERED_LOG: refused("A container's log goes elsewhere, or grows without a bound.", AS_RENDERED),
  RENDERED_COMMAND: refused("A container runs another program than its component.", AS_RENDERED),
  RENDERED_IMAGE: refused(
    "The images are not those that the lock names for the components.",
    "write the lock anew with `trustkern images lock`",
  ),
  RENDERED_IMAGE_UNPINNED: refused(
    "An image is named by no tag, or by one that is moved to other bytes on purpose.",
    "write images.lock.yaml with `trustkern images lock`",
  ),
  RENDERED_PORT: refused(
    "The published ports are not those of the model, on the address that trustkern.yaml names.",
    AS_RENDERED,
  ),
  RENDERED_ENVIRONMENT: refused("The variables of a container are not those of its component.", AS_RENDERED),
});
