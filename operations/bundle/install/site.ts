import { join, resolve } from "node:path";

/** Where everything of a site lies. Pure: nothing is made. */
export interface Site {
  /** Its folder, absolute. */
  readonly dir: string;
  /** What was installed in person, and the highest version seen. */
  readonly trustDir: string;
  /** What is not verified or not whole yet; may be emptied while nothing runs. */
  readonly stagingDir: string;
  readonly versionsDir: string;
  /** Symbolic link to the version that runs. */
  readonly currentLink: string;
  /** State directory of the deployment: secrets, volumes, the state of OpenTofu. */
  readonly stateDir: string;
  readonly backupDir: string;
  readonly journalFile: string;
  /** In staging, so that a bundle which is refused leaves nothing elsewhere. */
  readonly lockFile: string;
  /** Says which process deploys, from before it begins: it may outlive the command that started it. */
  readonly deployFile: string;
}

/** Paths of the site whose folder is `dir`. */
export function siteOf(dir: string): Site {
  const root = resolve(dir);
  return {
    dir: root,
    trustDir: join(root, "trust"),
    stagingDir: join(root, "staging"),
    versionsDir: join(root, "versions"),
    currentLink: join(root, "current"),
    stateDir: join(root, "state"),
    backupDir: join(root, "backup"),
    journalFile: join(root, "journal.jsonl"),
    lockFile: join(root, "staging", "lock"),
    deployFile: join(root, "staging", "lock.deploy"),
  };
}

/** Folder of one version, with every file of its bundle. */
export function versionDir({ versionsDir }: Site, version: number): string {
  return join(versionsDir, String(version));
}

/** Folder in which the files of a version are put together. */
export function stagedDir({ stagingDir }: Site, version: number): string {
  return join(stagingDir, `version-${version}`);
}

/** The cold copy of the state with which a version ran. */
export function backupOf({ backupDir }: Site, version: number): string {
  return join(backupDir, String(version));
}

/** Where the state goes that a way back leaves behind. */
export function leftBehind({ backupDir }: Site, run: number): string {
  return join(backupDir, `left-${run}`);
}

/** A version's own copy of its bundle's manifest. */
export const MANIFEST_NAME = "manifest.json";

/** A version's own copy of its bundle's signatures. */
export const SIGNATURES_NAME = "signatures.json";
