import type { Bundle } from "../operations/bundle/format/read.ts";
import { whatRuns } from "../operations/bundle/install/facts.ts";
import { siteOf } from "../operations/bundle/install/site.ts";
import { readSiteTrust } from "../operations/bundle/trust/site.ts";
import { namedRoot } from "./bundle-trust-options.ts";
import type { CommandContext } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { namedSite } from "./named-site.ts";

/**
 * What is trusted: the root that is named with its fingerprint, or what the site has.
 * @throws CLI_USAGE, BUNDLE_ROOT_MISSING, BUNDLE_SITE_CORRUPT, and what {@link namedRoot} throws
 */
export function trustIn(context: CommandContext, { manifest }: Pick<Bundle, "manifest">) {
  const { options } = context;
  const named = namedRoot(context);
  if (named !== undefined) {
    if (options.site === undefined)
      return { siteRoot: named, seen: undefined, runs: undefined, by: `root ${named.root.version}, as named` };
    const message = "--root and --site are both there; accepted: one of them";
    throw cliErrors.error("CLI_USAGE", message, { path: "--site" });
  }
  // Whose it says to be only says where to look: what is there decides.
  const site = namedSite(context, manifest.deployment);
  const { root, seen } = readSiteTrust(site);
  return { siteRoot: root, seen, runs: whatRuns(siteOf(site)), by: `site ${site}` };
}
