import { realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { People } from "../../certs/ceremony/people.ts";
import type { Deployment } from "../../model/deployment.ts";
import { hostErrors } from "./errors.ts";

/** Who makes an authority's key, and where it belongs: what every ceremony after the first one is handed. */
export interface KeyCeremony extends People {
  /** Where the deployment says that keys are. */
  readonly pki: Deployment["pki"];
  /** The age file of the next root's key and the file of its passphrase; absolute. @default none is named */
  readonly rootFile?: RootFile | undefined;
  /** Whether a root on P-256 is accepted. @default false */
  readonly acceptP256Root?: boolean | undefined;
  /** Programs and their versions, for the transcript. */
  readonly versions: Readonly<Record<string, string>>;
}

/** An age file, and the file of its passphrase. */
export interface RootFile {
  readonly file: string;
  readonly passphraseFile: string;
}

/**
 * Refuses a file of a root's key that lies in the state directory, also by way of a link.
 * @throws ROOT_KEY_ONLINE
 */
export function assertOffline(stateDir: string, file: string, path = "--root-key"): void {
  if (relative(real(stateDir), real(resolve(file))).startsWith("..")) return;
  throw hostErrors.error("ROOT_KEY_ONLINE", `"${file}" is in the state directory`, { path });
}

/** A path with every link followed that is there; what is not there yet stays as it is. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(real(parent), basename(path));
  }
}
