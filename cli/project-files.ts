import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { cliErrors } from "./errors.ts";

/** Set while the toolkit of a bundle is made, and nowhere else. */
declare const TRUSTKERN_TOOLKIT: true | undefined;

/** A clone of the project, with its sources and packages: a vendor's machine. */
export interface Clone {
  readonly kind: "clone";
  /** Folder of the project. */
  readonly root: string;
  /** `tools/`: what foreign programs are built from. */
  readonly toolsDir: string;
  /** The program `trustkern`, which units of systemd start. */
  readonly launcher: string;
}

/** The toolkit of a bundle: a site's machine, with nothing that anything could be built from. */
export interface Toolkit {
  readonly kind: "toolkit";
  readonly root: string;
  readonly launcher: string;
  /** OpenTofu. */
  readonly tofu: string;
  /** Folder with the provider below the host names of both registries. */
  readonly providerMirror: string;
}

/** Where the files are that the command line reads beside its own. */
export const projectFiles: Clone | Toolkit =
  typeof TRUSTKERN_TOOLKIT === "undefined"
    ? cloneAt(dirname(import.meta.dirname))
    : toolkitAt(dirname(import.meta.dirname));

/**
 * Of a clone.
 * @param what - the command that needs it
 * @throws CLI_NEEDS_CLONE in a toolkit
 */
export function cloneFiles(what: string): Clone {
  if (projectFiles.kind === "clone") return projectFiles;
  throw needsClone(what);
}

/** The error for what only a vendor's machine can do. */
export function needsClone(what: string): Error {
  return cliErrors.error(
    "CLI_NEEDS_CLONE",
    `${what} works from the project's sources, and this is the toolkit of a bundle`,
  );
}

/** The environment in which OpenTofu is looked for: a toolkit takes its own, and not one that this machine happens to have. */
export function withOwnTofu(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (projectFiles.kind === "clone" || env.TRUSTKERN_TERRAFORM) return env;
  return { ...env, TRUSTKERN_TERRAFORM: projectFiles.tofu };
}

function cloneAt(root: string): Clone {
  return { kind: "clone", root, toolsDir: join(root, "tools"), launcher: join(root, "trustkern") };
}

/** As `operations/bundle/toolkit/layout.ts` lays it out; modules are in `lib/`. */
function toolkitAt(root: string): Toolkit {
  return {
    kind: "toolkit",
    root,
    launcher: launcherOf(root),
    tofu: join(root, "bin", "tofu"),
    providerMirror: join(root, "providers"),
  };
}

/** Of a site, the one that follows the version in use: what starts it outlives upgrades. */
export function launcherOf(root: string): string {
  const [, site] = /^(.*)\/versions\/[^/]+\/toolkit$/.exec(root) ?? [];
  const current = site === undefined ? undefined : join(site, "current", "toolkit", "trustkern");
  return current !== undefined && existsSync(current) ? current : join(root, "trustkern");
}
