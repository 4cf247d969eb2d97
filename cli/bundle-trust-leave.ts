import { existsSync } from "node:fs";
import { join } from "node:path";
import { missingOf, signRoot } from "../operations/bundle/trust/make-root.ts";
import type { SignedRoot } from "../operations/bundle/trust/root.ts";
import { bundleFolder, rootFile, writeRootFile } from "../operations/bundle/trust/vendor-roots.ts";
import { EXIT, type ExitCode } from "../shared/errors.ts";
import { makePrivateDir } from "../stacks/host/files.ts";
import { lockWithin } from "../stacks/host/lock.ts";
import { openBundleKeys } from "./bundle-keys.ts";
import { missingLine, rootDocument, rootLines } from "./bundle-trust-view.ts";
import { type CommandContext, printJson } from "./command.ts";
import { cliErrors } from "./errors.ts";

const LOCK_MS = 20_000;

/**
 * Signs a new root with the keys of `--key`, as many as there are, writes it beside the others, and says what is missing.
 * @throws CLI_FILE_EXISTS where another one of that version was made meanwhile, STATE_LOCKED, STATE_UNWRITABLE, and every SIGNER_ code
 */
export async function leaveRoot(
  context: CommandContext,
  dir: string,
  made: SignedRoot,
  before: SignedRoot | undefined,
): Promise<ExitCode> {
  const folder = bundleFolder(dir);
  const path = rootFile(folder, made.root.version);
  if (context.options.dryRun === true) return showRoot(context, made, before, path);
  await using keys = await openBundleKeys(context, dir);
  const root = await signRoot(made, before, keys.signers);
  makePrivateDir(folder);
  const unlock = await lockWithin(join(folder, "roots.lock"), LOCK_MS);
  try {
    if (existsSync(path)) throw cliErrors.error("CLI_FILE_EXISTS", `"${path}" is there already`, { path });
    writeRootFile(path, root);
  } finally {
    unlock();
  }
  return showRoot(context, root, before, path);
}

/** Says what a root is, where it is, and whether it counts. */
export function showRoot(
  { io, flags, options }: CommandContext,
  root: SignedRoot,
  before: SignedRoot | undefined,
  file: string,
): ExitCode {
  const missing = missingOf(root, before);
  const written = options.dryRun !== true;
  if (flags.json) {
    printJson(io, { schema: "trustkern.bundle-root-written/1", file, written, ...rootDocument(root), missing });
    return EXIT.done;
  }
  const lines = [...rootLines(root), written ? `written: ${file}` : `would be written: ${file}`];
  io.stdout(`${[...lines, missingLine(missing, file) ?? "it counts"].join("\n")}\n`);
  return EXIT.done;
}
