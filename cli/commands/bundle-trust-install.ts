import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { siteOf } from "../../operations/bundle/install/site.ts";
import { takeSiteLock } from "../../operations/bundle/install/site-lock.ts";
import { installRoot, siteTrustFiles } from "../../operations/bundle/trust/site.ts";
import { EXIT } from "../../shared/errors.ts";
import { namedRoot } from "../bundle-trust-options.ts";
import { rootDocument, rootLines } from "../bundle-trust-view.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { needed } from "../needed.ts";

/** `bundle trust install`: a site's root of trust, by a person who has its fingerprint by another way than the file. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const site = resolve(io.cwd, needed(options.site, "--site"));
  const root = namedRoot(context);
  if (root === undefined) throw cliErrors.error("CLI_USAGE", "--root is missing", { path: "--root" });
  const dryRun = options.dryRun === true;
  const foreign = foreignIn(site);
  if (foreign.length > 0)
    io.stderr(
      `warning: ${JSON.stringify(foreign.slice(0, 5))} in "${site}" is nothing of a site; a site has a folder of its own\n`,
    );
  // An installation that runs has read what is trusted, and will write it.
  using unlocking = new DisposableStack();
  if (!dryRun) unlocking.defer(takeSiteLock(siteOf(site), process.pid));
  const installed = installRoot(site, root, { dryRun });
  const file = siteTrustFiles(site).root;
  if (flags.json) {
    printJson(io, { schema: "trustkern.bundle-trust-install/1", file, installed, dryRun, ...rootDocument(root) });
    return EXIT.done;
  }
  const what = dryRun ? "would be installed" : "installed";
  io.stdout(`${[...rootLines(root), `${installed ? what : "there already"}: ${file}`].join("\n")}\n`);
  return EXIT.done;
};

/** What lies in the folder and is nothing of a site. */
function foreignIn(dir: string): readonly string[] {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) return [];
  const { trustDir, stagingDir, versionsDir, currentLink, stateDir, backupDir, journalFile } = siteOf(dir);
  const own = [trustDir, stagingDir, versionsDir, currentLink, stateDir, backupDir, journalFile];
  return readdirSync(dir).filter((name) => !own.includes(join(dir, name)));
}
