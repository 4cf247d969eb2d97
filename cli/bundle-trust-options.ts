import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { bundleTrustErrors } from "../operations/bundle/trust/errors.ts";
import { holderOf, type RootChanges } from "../operations/bundle/trust/make-root.ts";
import { type Holder, type SignedRoot, verifyRoot } from "../operations/bundle/trust/root.ts";
import { readRootFile } from "../operations/bundle/trust/vendor-roots.ts";
import { messageOf } from "../shared/errors.ts";
import { several } from "./bundle-key-options.ts";
import type { CommandContext } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { needed } from "./needed.ts";
import { wholeNumber } from "./whole-number.ts";

/**
 * What a command line says of a new root.
 * @throws CLI_USAGE, CLI_FILE, BUNDLE_TRUST_INVALID
 */
export function rootChanges({ io, options }: CommandContext): RootChanges {
  const count = (value: string | boolean | undefined, flag: string) => {
    return wholeNumber(value, flag, 1, 8);
  };
  return {
    addSigners: several(options.signer).map((each) => holderIn(each, "--signer", io.cwd)),
    removeSigners: several(options.removeSigner),
    threshold: count(options.threshold, "--threshold"),
    addRootKeys: several(options.rootKey).map((each) => holderIn(each, "--root-key", io.cwd)),
    removeRootKeys: several(options.removeRootKey),
    rootThreshold: count(options.rootThreshold, "--root-threshold"),
  };
}

/**
 * The root of `--root`, once it is the one of `--fingerprint`, and as many of its own keys have signed it as it asks for.
 * @returns undefined where neither is given
 * @throws CLI_USAGE where one is missing, BUNDLE_ROOT_OTHER, BUNDLE_ROOT_MISSING, BUNDLE_ROOT_MALFORMED, BUNDLE_ROOT_BAD_SIGNATURE,
 *   BUNDLE_ROOT_BELOW_THRESHOLD
 */
export function namedRoot({ io, options }: CommandContext): SignedRoot | undefined {
  if (options.root === undefined && options.fingerprint === undefined) return undefined;
  const file = resolve(io.cwd, needed(options.root, "--root"));
  const trusted = needed(options.fingerprint, "--fingerprint");
  if (!/^sha256:[0-9a-f]{64}$/.test(trusted)) {
    const message = `--fingerprint is "${trusted}"; accepted: sha256: and 64 hex digits, as \`trustkern bundle trust show\` prints it`;
    throw cliErrors.error("CLI_USAGE", message, { path: "--fingerprint" });
  }
  const root = readRootFile(file);
  if (root.fingerprint !== trusted) {
    const message = `the root in it is ${root.fingerprint}, and ${trusted} was handed over`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_OTHER", message, { path: file });
  }
  verifyRoot(root, undefined);
  return root;
}

function holderIn(text: string, flag: string, cwd: string): Holder {
  const [, name, file] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || file === undefined) {
    throw cliErrors.error("CLI_USAGE", `${flag} is "${text}"; accepted: NAME=FILE`, { path: flag });
  }
  let pem: string;
  try {
    pem = readFileSync(resolve(cwd, file), "utf8");
  } catch (cause) {
    throw cliErrors.error("CLI_FILE", `cannot read "${file}": ${messageOf(cause)}`, { path: flag, cause });
  }
  return holderOf(name, pem, flag);
}
