import { isAbsolute, resolve } from "node:path";
import type { KeySigner } from "../certs/signers/signer.ts";
import { isAgeFile, openBundleKey } from "../operations/bundle/trust/signer-keys.ts";
import { several } from "./bundle-key-options.ts";
import type { CommandContext } from "./command.ts";
import { cliErrors } from "./errors.ts";

/** Keys that are open, and let go of their devices at the end. */
export interface OpenKeys extends AsyncDisposable {
  readonly signers: readonly KeySigner[];
}

/**
 * Opens the keys of `--key`.
 * @param stateDir no key may lie in it
 * @throws CLI_USAGE, ROOT_KEY_ONLINE, CUSTODY_PASSPHRASE_MISSING, and every SIGNER_ code
 */
export async function openBundleKeys({ io, options }: CommandContext, stateDir: string): Promise<OpenKeys> {
  const places = keyPlaces(several(options.key), several(options.passphraseFile), io.cwd);
  const signers: KeySigner[] = [];
  const close = async () => {
    for (const signer of signers.splice(0)) await signer.close();
  };
  try {
    for (const place of places) signers.push(await openBundleKey(place, stateDir));
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { signers, [Symbol.asyncDispose]: close };
}

/**
 * Places with their passphrases: each age file has the one in its turn, or all have the only one.
 * @throws CLI_USAGE
 */
export function keyPlaces(places: readonly string[], passphraseFiles: readonly string[], cwd: string) {
  const ageFiles = places.filter(isAgeFile);
  if (passphraseFiles.length !== (passphraseFiles.length === 1 ? Math.min(ageFiles.length, 1) : ageFiles.length)) {
    const message = `--passphrase-file is there ${passphraseFiles.length} times for ${ageFiles.length} age files; accepted: once for all, or once for each`;
    throw cliErrors.error("CLI_USAGE", message, { path: "--passphrase-file" });
  }
  return places.map((place) => {
    if (!isAgeFile(place)) return { place, passphraseFile: undefined };
    const file = passphraseFiles.length === 1 ? passphraseFiles[0] : passphraseFiles[ageFiles.indexOf(place)];
    return { place: absolute(place, cwd), passphraseFile: file === undefined ? undefined : absolute(file, cwd) };
  });
}

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : resolve(cwd, path);
}
