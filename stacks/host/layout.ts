import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { hostErrors } from "./errors.ts";

/** Longest path of a Unix socket in bytes that every platform takes (unix(7): 107 on Linux, 103 on macOS). */
const SOCKET_PATH_MAX = 103;

/** Longest path of a socket below the run folder, where nobody says another. */
const SOCKET_NAME_MAX = 24;

/** Where everything of one embedded deployment lies. Pure: nothing is made. */
export interface Layout {
  /** The state directory, absolute. */
  readonly dir: string;
  readonly stateFile: string;
  readonly lockFile: string;
  /** Secret store: one folder of mode 0700 for each component, files of mode 0600. */
  readonly secretsDir: string;
  /** Root and issuers; the root's key is encrypted with age, and no process of the deployment reads this folder. */
  readonly authoritiesDir: string;
  /** Rendered configuration: no secret in it. */
  readonly configDir: string;
  readonly volumesDir: string;
  readonly logsDir: string;
  /** What OpenTofu or Terraform works in, its local state included. */
  readonly terraformDir: string;
  /** Unix sockets. Lies below the temporary folder when the state directory's path is too long for them. */
  readonly runDir: string;
}

/**
 * Paths of the deployment whose state directory is `dir`.
 * @param temporaryDir where sockets go when `dir` is too long
 * @param longestSocket longest path of a socket below the run folder, in bytes
 * @throws SOCKET_PATH_TOO_LONG when `temporaryDir` is too long as well
 */
export function layoutOf(dir: string, temporaryDir: string, longestSocket = SOCKET_NAME_MAX): Layout {
  const root = resolve(dir);
  return {
    dir: root,
    stateFile: join(root, "deployment.json"),
    lockFile: join(root, "lock"),
    secretsDir: join(root, "secrets"),
    authoritiesDir: join(root, "authorities"),
    configDir: join(root, "config"),
    volumesDir: join(root, "volumes"),
    logsDir: join(root, "logs"),
    terraformDir: join(root, "terraform"),
    runDir: runDirOf(root, temporaryDir, longestSocket),
  };
}

function runDirOf(root: string, temporaryDir: string, longestSocket: number): string {
  const tag = createHash("sha256").update(root).digest("hex").slice(0, 12);
  const candidates = [join(root, "run"), join(temporaryDir, `tk-${tag}`)];
  const short = candidates.find((path) => Buffer.byteLength(path) + 1 + longestSocket <= SOCKET_PATH_MAX);
  if (short === undefined) {
    throw hostErrors.error(
      "SOCKET_PATH_TOO_LONG",
      `sockets need a folder of at most ${SOCKET_PATH_MAX - 1 - longestSocket} bytes, got "${candidates.join('" and "')}"`,
      { path: "--dir" },
    );
  }
  return short;
}
