import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of a provisioning bundle that a sensor refuses. */
export const provisioningErrors = catalogue({
  PROVISIONING_BUNDLE_INVALID: {
    exit: EXIT.policy,
    summary: "A provisioning bundle is not of the form of docs/spec/provisioning.md, or its signature does not verify.",
    fix: "ask the backend for a new bundle",
  },
  PROVISIONING_BUNDLE_OTHER_BACKEND: {
    exit: EXIT.policy,
    summary: "A provisioning bundle is signed by another backend than the one that the sensor was made for.",
    fix: "provision the sensor at the backend that it was made for",
  },
  PROVISIONING_BUNDLE_OTHER_SENSOR: {
    exit: EXIT.policy,
    summary: "A provisioning bundle names another sensor, or another public key.",
    fix: "ask the backend for a bundle for this sensor",
  },
});
