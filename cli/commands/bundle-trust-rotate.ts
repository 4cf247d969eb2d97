import { bundleTrustErrors } from "../../operations/bundle/trust/errors.ts";
import { nextRoot } from "../../operations/bundle/trust/make-root.ts";
import { bundleFolder, newestRoot, readVendorRoots, rootFile } from "../../operations/bundle/trust/vendor-roots.ts";
import { leaveRoot } from "../bundle-trust-leave.ts";
import { rootChanges } from "../bundle-trust-options.ts";
import type { Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";

/** `bundle trust rotate`: the next root of trust, with other signers, root keys or thresholds. */
export const run: Run = async (context) => {
  const { io, flags } = context;
  const { dir } = await locateDeployment(io, flags);
  const folder = bundleFolder(dir);
  const vendor = readVendorRoots(folder);
  const before = newestRoot(vendor, folder);
  if (vendor.pending !== undefined) {
    const path = rootFile(folder, vendor.pending.root.version);
    const message = `root ${vendor.pending.root.version} waits for signatures`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_BELOW_THRESHOLD", message, {
      path,
      fix: `have the others sign with \`trustkern bundle trust sign ${path} --key PLACE\`, or remove it where nobody has it yet`,
    });
  }
  return leaveRoot(context, dir, nextRoot(before, rootChanges(context), io.now()), before);
};
