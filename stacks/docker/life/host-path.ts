import { readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { socketAnswers } from "../../../shared/socket-answers.ts";
import type { RunAs } from "../containers.ts";

/** What is at a path of the host. */
export interface HostPath {
  readonly kind: "file" | "folder" | "socket" | "device" | "other";
  readonly uid: number;
  readonly gid: number;
  /** POSIX mode: the nine bits of rights. */
  readonly mode: number;
  /** Bytes of a file. */
  readonly size: number;
  /** The path without symbolic links, where it is another. @default the path that was asked for */
  readonly real?: string;
  /** Names in a folder that may be read. */
  readonly entries?: readonly string[];
  /** Whether a process listens on a socket. */
  readonly answers?: boolean;
}

/** Looks at a path; undefined where nothing is, or nothing that may be looked at. */
export type LookAt = (path: string) => Promise<HostPath | undefined>;

/** {@link LookAt} on this machine. */
export const lookAtHost: LookAt = async (path) => {
  try {
    const stats = statSync(path);
    const { uid, gid, size } = stats;
    const kind = kindOf(stats);
    const real = realpathSync(path);
    return {
      ...{ kind, uid, gid, size, mode: stats.mode & 0o777 },
      ...(real === path ? {} : { real }),
      ...(kind === "folder" ? { entries: readdirSync(path) } : {}),
      ...(kind === "socket" ? { answers: await socketAnswers(path) } : {}),
    };
  } catch {
    return undefined;
  }
};

function kindOf(stats: Stats): HostPath["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  if (stats.isSocket()) return "socket";
  return stats.isCharacterDevice() ? "device" : "other";
}

/**
 * Whether a user without privileges has these rights, as the kernel decides it (path_resolution(7)): by one class alone.
 * @param rights bits of `0o7`: 4 to read, 2 to write, 1 to enter
 */
export function mayUse({ uid, gid, mode }: HostPath, user: RunAs, rights: number): boolean {
  const shift = user.uid === uid ? 6 : user.gid === gid ? 3 : 0;
  return ((mode >> shift) & rights) === rights;
}
