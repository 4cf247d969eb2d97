import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Codes of what the model layer finds beyond the table of the boundary. */
export const modelLayerErrors = catalogue({
  BOUNDARY_CLASS_HELD: {
    exit: EXIT.policy,
    summary: "A component outside of the boundary holds plaintext that is not its own, or a decryption key.",
    fix: "keep the class out of the component, or move the component into the zone decryption",
  },
  BOUNDARY_CLASS_REACHES: {
    exit: EXIT.policy,
    summary: "Plaintext or a decryption key reaches a component outside of the boundary, over one flow or several.",
    fix: "keep the class off the flow that leaves the boundary; the message shows the shortest path",
  },
  BOUNDARY_CLASS_UNDECLARED: {
    exit: EXIT.policy,
    summary: "Plaintext or a decryption key reaches a component of the boundary that does not say that it holds it.",
    fix: "name the class under holds in the component, or keep it off the flow",
  },
});
