import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { signRoot } from "../../operations/bundle/trust/make-root.ts";
import type { SignedRoot } from "../../operations/bundle/trust/root.ts";
import { readRootFile, writeRootFile } from "../../operations/bundle/trust/vendor-roots.ts";
import { openBundleKeys } from "../bundle-keys.ts";
import { showRoot } from "../bundle-trust-leave.ts";
import { rootLines } from "../bundle-trust-view.ts";
import type { CommandContext, Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { locateDeployment } from "../deployment-file.ts";
import { needed } from "../needed.ts";

/** `bundle trust sign FILE`: another person's signature on a root of trust, which is shown before. */
export const run: Run = async (context) => {
  const { io, flags, options, args } = context;
  const file = resolve(io.cwd, args[0] ?? "");
  const root = readRootFile(file);
  const before = rootBefore(context, file, root);
  if (options.dryRun === true) return showRoot(context, root, before, file);
  needed(options.key, "--key");
  const { dir } = await locateDeployment(io, flags);
  await using keys = await openBundleKeys(context, dir);
  io.stderr(`${rootLines(root).join("\n")}\n`);
  await confirm(context, "This says whose bundles every site of the tenant takes from then on.");
  const signed = await signRoot(root, before, keys.signers);
  writeRootFile(file, signed);
  return showRoot(context, signed, before, file);
};

/** The root before: that of `--previous`, or the one that lies beside it under the name that `init` and `rotate` give. */
function rootBefore({ io, options }: CommandContext, file: string, { root }: SignedRoot): SignedRoot | undefined {
  if (root.version === 1) return undefined;
  if (typeof options.previous === "string") return readRootFile(resolve(io.cwd, options.previous));
  const beside = join(dirname(file), `root-${root.version - 1}.json`);
  return basename(file) === `root-${root.version}.json` && existsSync(beside) ? readRootFile(beside) : undefined;
}
