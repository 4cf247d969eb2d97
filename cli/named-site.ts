import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { SITES_DIR } from "../operations/bundle/trust/site.ts";
import type { CommandContext } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { projectFiles } from "./project-files.ts";

/**
 * The site that `--site` names, the one whose toolkit this is, or the one of the deployment below {@link SITES_DIR}.
 * @param deployment - of the bundle that is named
 * @param toolkit - folder of the toolkit that runs
 * @throws CLI_USAGE
 */
export function namedSite(
  { io, options }: Pick<CommandContext, "options"> & { readonly io: Pick<CommandContext["io"], "cwd"> },
  deployment: string | undefined,
  toolkit: string | undefined = projectFiles.kind === "toolkit" ? projectFiles.root : undefined,
): string {
  if (typeof options.site === "string") return resolve(io.cwd, options.site);
  const own = toolkit === undefined ? undefined : siteOfToolkit(toolkit);
  if (own !== undefined) return own;
  if (deployment !== undefined) return join(SITES_DIR, deployment);
  throw cliErrors.error("CLI_USAGE", "no site is named, and this is not the toolkit of one", {
    path: "--site",
    fix: `name its folder, such as --site ${SITES_DIR}/plant-north`,
  });
}

/** `<site>/versions/<n>/toolkit`, whichever way it was called. */
function siteOfToolkit(toolkit: string): string | undefined {
  const folder = realpathSync(toolkit);
  const versions = dirname(dirname(folder));
  return basename(folder) === "toolkit" && basename(versions) === "versions" ? dirname(versions) : undefined;
}
