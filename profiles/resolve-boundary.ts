import type { Deployment, ProfileName, Support } from "../model/deployment.ts";
import { PROFILES } from "./index.ts";
import type { DeploymentInput } from "./schema.ts";

/** Egress, support and telemetry: what the file says, else its profile, else nothing and nobody. The input has been checked. */
export function resolveBoundary(
  input: Pick<DeploymentInput, "egress" | "support" | "telemetry">,
  name: ProfileName,
): Pick<Deployment, "egress" | "support" | "telemetry"> {
  const profile = PROFILES[name].defaults;
  const { mode = "isolated", allow = [] } = { ...profile.egress, ...input.egress };
  return {
    egress: { mode, allow },
    support: supportOf({ ...profile.support, ...input.support }),
    telemetry: { vendor: input.telemetry?.vendor ?? profile.telemetry?.vendor ?? "none" },
  };
}

function supportOf(said: NonNullable<DeploymentInput["support"]>): Support {
  const { access = "off", to = "trustkern", from = "", until = "", reason = "" } = said;
  return access === "granted" ? { access, to, from, until, reason } : { access };
}
