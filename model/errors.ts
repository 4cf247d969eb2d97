import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of `model/`. */
export const modelErrors = catalogue({
  BOUNDARY_BROKEN: {
    exit: EXIT.policy,
    summary: "A component holds, or a flow carries, a data class that its zones must not see.",
    fix: "move the component into the decryption zone, or take the data class away from the component or the flow; model/boundary-table.ts is the rule",
  },
  BOUNDARY_NAME_TAKEN: {
    exit: EXIT.policy,
    summary: "Two components have one name.",
    fix: "give each component its own name",
  },
  BOUNDARY_ZONE_HOLDS: {
    exit: EXIT.policy,
    summary: "A component holds a data class that its zone must not see.",
    fix: "move the component into a zone that may hold the class, or keep the class out of it",
  },
  BOUNDARY_PUBLISHED: {
    exit: EXIT.policy,
    summary: "A component publishes a port that its zone must not publish, such as the database's.",
    fix: "take publish off the port; inside the deployment a flow reaches it without",
  },
  BOUNDARY_FLOW_END: {
    exit: EXIT.policy,
    summary: "A flow begins or ends at a component that is not there.",
    fix: "name a component of the deployment",
  },
  BOUNDARY_FLOW_PORT: {
    exit: EXIT.policy,
    summary: "A flow ends at a port or a socket that its component does not have.",
    fix: "name one of the component's ports, or with unix one of its sockets",
  },
  BOUNDARY_FLOW_EMPTY: {
    exit: EXIT.policy,
    summary: "A flow does not say what it carries.",
    fix: "name at least one data class",
  },
  BOUNDARY_FLOW_CARRIES: {
    exit: EXIT.policy,
    summary: "A flow carries a data class that must not travel between its two zones.",
    fix: "keep the class off the flow",
  },
  BOUNDARY_FLOW_PROTECTION: {
    exit: EXIT.policy,
    summary: "A flow carries a data class that its protection is not good enough for.",
    fix: "protect the flow with mtls",
  },
  BOUNDARY_FLOW_LOOPBACK: {
    exit: EXIT.policy,
    summary: "A flow relies on the loopback address, on an engine that uses several hosts.",
    fix: "protect the flow with mtls",
  },
  BOUNDARY_HOST_PLACE: {
    exit: EXIT.policy,
    summary: "Components of two zones are given one socket, folder or device of the host.",
    fix: "give the keys of each zone a token or a TPM of their own, in a folder of its own",
  },
});
