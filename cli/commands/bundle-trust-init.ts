import { bundleTrustErrors } from "../../operations/bundle/trust/errors.ts";
import { firstRoot } from "../../operations/bundle/trust/make-root.ts";
import { bundleFolder, readVendorRoots } from "../../operations/bundle/trust/vendor-roots.ts";
import { leaveRoot } from "../bundle-trust-leave.ts";
import { rootChanges } from "../bundle-trust-options.ts";
import type { Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";

/** `bundle trust init`: the first root of trust of a tenant. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { deployment, dir } = await locateDeployment(io, flags);
  const { roots, pending } = readVendorRoots(bundleFolder(dir));
  const there = roots[0] ?? pending;
  if (there !== undefined) {
    const message = `there is root ${there.root.version} in "${bundleFolder(dir)}" already`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_INSTALLED", message, {
      path: bundleFolder(dir),
      fix: "change it with `trustkern bundle trust rotate`, which makes the next one",
    });
  }
  const tenant = typeof options.tenant === "string" ? options.tenant : deployment.tenant;
  return leaveRoot(context, dir, firstRoot(tenant, rootChanges(context), io.now()), undefined);
};
