import type { CommandContext } from "./command.ts";
import { locateDeployment } from "./deployment-file.ts";

/** Whose a signed file has to be. */
export interface AskedFor {
  readonly deployment?: string | undefined;
  readonly tenant?: string | undefined;
}

/**
 * Whose a signed file has to be: of `--deployment` and `--tenant`, else of the deployment of `-f` or of the folder, else undefined for anybody's.
 * @throws CLI_FILE, CONFIG_INVALID
 */
export async function askedFor({ io, flags, options }: CommandContext): Promise<AskedFor | undefined> {
  const said = (option: unknown): string | undefined => (typeof option === "string" ? option : undefined);
  const asked = { deployment: said(options.deployment), tenant: said(options.tenant) };
  if (asked.deployment !== undefined || asked.tenant !== undefined) return asked;
  const { file, deployment } = await locateDeployment(io, flags);
  return file === undefined ? undefined : { deployment: deployment.name, tenant: deployment.tenant };
}
