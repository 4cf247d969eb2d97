import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A file system of its own, which its processes alone see at its folder. */
export interface SmallDisk {
  /** Where this process sees it. */
  readonly folder: string;
  /** Program and arguments that run another one where it is mounted. */
  readonly under: readonly string[];
  /** To the last byte. */
  readonly fill: () => void;
  readonly free: () => void;
  /** Unmounts it, once nobody runs on it. */
  readonly end: () => Promise<void>;
}

const MOUNT = 'mount -t tmpfs -o size=32m,mode=700 tmpfs "$0" && echo mounted && exec cat';

/** Mounts one at a folder, which is made, in a mount namespace that ends with this process. */
export async function smallDisk(at: string): Promise<SmallDisk> {
  mkdirSync(at, { mode: 0o700 });
  const holder = spawn("unshare", ["-m", "sh", "-c", MOUNT, at], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "exit");
  await Promise.race([
    once(holder.stdout, "data"),
    ended.then(() => Promise.reject(new Error("no disk could be mounted"))),
  ]);
  const folder = `/proc/${holder.pid}/root${at}`;
  const filler = join(folder, "filler");
  return {
    folder,
    under: ["nsenter", "-m", "-t", `${holder.pid}`],
    fill: () => fill(filler),
    free: () => rmSync(filler, { force: true }),
    end: async () => {
      holder.kill("SIGKILL");
      await ended;
    },
  };
}

function fill(filler: string): void {
  for (let chunk = 1 << 20; chunk >= 1; chunk >>= 4) {
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(chunk));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOSPC") throw thrown;
    }
  }
}
