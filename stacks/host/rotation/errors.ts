import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of rotations. */
export const rotationErrors = catalogue({
  ROTATION_TARGET_UNKNOWN: {
    exit: EXIT.configuration,
    summary: "What should be rotated is nothing that the deployment has.",
    fix: "name root, intermediate:services|gateways|operators, leaf:COMPONENT, pin or token:GATEWAY with --what",
  },
  ROTATION_UNFINISHED: {
    exit: EXIT.resource,
    summary:
      "Another rotation has begun and is not done: two at once could leave a component that trusts neither side.",
    fix: "finish it with `trustkern certs rotate`, then start the new one",
  },
  ROTATION_JOURNAL_CORRUPT: {
    exit: EXIT.configuration,
    summary: "The journal of a rotation is not one that this program wrote.",
    fix: "restore rotation.json from a copy; old and new are both still trusted, so nothing is urgent",
  },
  ROTATION_NOT_RUNNING: {
    exit: EXIT.resource,
    summary: "No component of the deployment runs on this host, so none could follow a rotation.",
    fix: "bring the deployment up with `trustkern up` or `trustkern deploy`, then run the command again",
  },
  ROTATION_UNPROVEN: {
    exit: EXIT.timeout,
    summary: "Some components have not followed a step of the rotation in time; the old is still accepted everywhere.",
    fix: "bring the components that the message names up, and run `trustkern certs rotate` again: it goes on where it stopped; a gateway that never comes back is not waited for once it is revoked",
  },
  ROTATION_IN_USE: {
    exit: EXIT.policy,
    summary: "The rotation cannot be given up: the new is in use, and going back would cut off who has it.",
    fix: "finish it with `trustkern certs rotate`; a gateway that never comes back is not waited for once it is revoked",
  },
  ROTATION_NOTHING: {
    exit: EXIT.notFound,
    summary: "No rotation has begun, so there is none to finish.",
    fix: "start one with `trustkern certs rotate --what WHAT`",
  },
});
