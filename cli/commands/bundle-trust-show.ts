import { resolve } from "node:path";
import { missingOf } from "../../operations/bundle/trust/make-root.ts";
import { readSiteTrust } from "../../operations/bundle/trust/site.ts";
import {
  bundleFolder,
  newestRoot,
  readRootFile,
  readVendorRoots,
  rootFile,
} from "../../operations/bundle/trust/vendor-roots.ts";
import { EXIT } from "../../shared/errors.ts";
import { missingLine, rootDocument, rootLines } from "../bundle-trust-view.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";

/** `bundle trust show`: who may sign, by a file, a site, or the roots that the state directory has. */
export const run: Run = async (context) => {
  const { io, flags } = context;
  const { roots, pending, lines, seen } = await shown(context);
  if (flags.json) {
    printJson(io, {
      schema: "trustkern.bundle-trust/1",
      roots: roots.map(rootDocument),
      pending: pending === undefined ? null : rootDocument(pending),
      ...(seen === undefined ? {} : { seen }),
    });
  } else io.stdout(`${lines.join("\n")}\n`);
  return EXIT.done;
};

async function shown({ io, flags, options }: CommandContext) {
  if (typeof options.root === "string") {
    const root = readRootFile(resolve(io.cwd, options.root));
    return { roots: [root], pending: undefined, lines: rootLines(root), seen: undefined };
  }
  if (typeof options.site === "string") {
    const { root, seen } = readSiteTrust(resolve(io.cwd, options.site));
    const had =
      seen.version === 0
        ? "the site has had no bundle yet"
        : `the site has had version ${seen.version}, ${seen.manifest}`;
    return { roots: [root], pending: undefined, lines: [...rootLines(root), had], seen };
  }
  const { dir } = await locateDeployment(io, flags);
  const folder = bundleFolder(dir);
  const vendor = readVendorRoots(folder);
  const { roots, pending } = vendor;
  if (pending === undefined) newestRoot(vendor, folder);
  const waiting = pending && missingLine(missingOf(pending, roots.at(-1)), rootFile(folder, pending.root.version));
  const all = [...roots, ...(pending === undefined ? [] : [pending])];
  const lines = all.flatMap((each, index) => (index === 0 ? rootLines(each) : ["", ...rootLines(each)]));
  return { roots, pending, lines: waiting === undefined ? lines : [...lines, waiting], seen: undefined };
}
