import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of deltas: why none can be made, or one cannot be applied. */
export const bundleDeltaErrors = catalogue({
  BUNDLE_DELTA_OTHER_BASE: {
    exit: EXIT.policy,
    summary: "The delta changes another bundle than the one that it is to be applied to.",
    fix: "name with --to the bundle whose manifest has the digest that the delta names, or have the full bundle brought",
  },
  BUNDLE_DELTA_NEEDS_FULL: {
    exit: EXIT.configuration,
    summary: "A full bundle is needed, and the one that is named is a delta itself.",
    fix: "apply that delta first with `trustkern bundle apply`, and name what it gives",
  },
  BUNDLE_DELTA_IS_FULL: {
    exit: EXIT.configuration,
    summary: "The bundle is full: there is nothing to apply.",
    fix: "use it as it is: `trustkern bundle verify`, `trustkern bundle install`",
  },
  BUNDLE_DELTA_OTHER_DEPLOYMENT: {
    exit: EXIT.policy,
    summary: "The two bundles are of different tenants or deployments.",
    fix: "name two bundles of one deployment",
  },
  BUNDLE_DELTA_MALFORMED: {
    exit: EXIT.policy,
    summary: "The delta is signed, and does not lead to the bundle that it names.",
    fix: "have the full bundle brought, and tell whoever signed the delta",
  },
  BUNDLE_DELTA_RUNTIME: {
    exit: EXIT.failed,
    summary: "A segment compresses to other bytes here than where the bundle was made: the runtime has another zstd.",
    fix: "apply the delta with the toolkit of the version that made it, or have the full bundle brought",
  },
});
