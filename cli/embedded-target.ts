import type { CommandContext } from "./command.ts";
import { type LocatedDeployment, locateDeployment } from "./deployment-file.ts";
import { cliErrors } from "./errors.ts";

/**
 * The deployment that a command of the embedded engine is for.
 * @throws EMBEDDED_DEV_ONLY, CONFIG_INVALID
 */
export async function embeddedTarget({ io, flags }: CommandContext): Promise<LocatedDeployment> {
  const located = await locateDeployment(io, flags);
  const { engine, profile } = located.deployment;
  if (engine === "embedded" && profile === "dev") return located;
  throw cliErrors.error("EMBEDDED_DEV_ONLY", `the deployment has profile "${profile}" and engine "${engine}"`, {
    path: located.file,
  });
}
