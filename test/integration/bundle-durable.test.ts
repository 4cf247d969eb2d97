import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { removeFolders } from "../../operations/bundle/format/test-bundle.ts";
import { stageFiles } from "../../operations/bundle/install/stage.ts";
import { stageRuntime } from "../../operations/bundle/install/stage-runtime.ts";
import { TestSite, testBundle } from "../../operations/bundle/install/test-site.ts";
import { testToolkit, writtenToolkit } from "../../operations/bundle/toolkit/test-toolkit.ts";

/**
 * A disk that keeps in memory what nobody asked it to write: it knows each file and folder by its inode, and whether everything that was
 * done to it since is on the disk. Names count with their folder.
 */
const disk = vi.hoisted(() => ({
  dirty: new Set<number>(),
  /** What was not on the disk when the folder above it took its name in the site. */
  lost: [] as string[],
  renames: [] as string[],
}));

vi.mock(import("node:fs"), async (original) => {
  const real = await original();
  const { dirname: above } = await import("node:path");
  const inode = (path: string): number => real.lstatSync(path, { throwIfNoEntry: false })?.ino ?? 0;
  const touch = (...paths: readonly string[]): void => {
    for (const path of paths) disk.dirty.add(inode(path));
  };
  const tree = (path: string): readonly string[] =>
    real.lstatSync(path).isDirectory()
      ? [path, ...real.readdirSync(path).flatMap((name) => tree(`${path}/${name}`))]
      : [path];
  const followed: Readonly<Record<string, unknown>> = {
    fsyncSync: (descriptor: number) => {
      real.fsyncSync(descriptor);
      disk.dirty.delete(real.fstatSync(descriptor).ino);
    },
    writeSync: (descriptor: number, ...rest: readonly [never]) => {
      disk.dirty.add(real.fstatSync(descriptor).ino);
      return real.writeSync(descriptor, ...rest);
    },
    copyFileSync: (from: string, to: string, mode?: number) => {
      real.copyFileSync(from, to, mode);
      touch(to, above(to));
    },
    linkSync: (from: string, to: string) => {
      real.linkSync(from, to);
      touch(above(to));
    },
    symlinkSync: (target: string, path: string) => {
      real.symlinkSync(target, path);
      touch(above(path));
    },
    mkdirSync: (path: string, options?: object) => {
      const isNew = !real.existsSync(path);
      const made = real.mkdirSync(path, options);
      if (isNew) touch(path, above(path));
      return made;
    },
    renameSync: (from: string, to: string) => {
      if (real.lstatSync(from).isDirectory() && !to.includes("/staging/")) {
        disk.renames.push(to);
        const unwritten = tree(from).filter(
          (path) => !real.lstatSync(path).isSymbolicLink() && disk.dirty.has(inode(path)),
        );
        disk.lost.push(...unwritten.map((path) => `${path} before ${to}`));
      }
      real.renameSync(from, to);
      touch(above(from), above(to));
    },
  };
  return { ...real, ...followed };
});

let at: TestSite;
beforeEach(() => {
  at = new TestSite();
  disk.dirty.clear();
  [disk.lost, disk.renames] = [[], []];
});
afterEach(() => at.remove());

/** Folders of the site whose names are not on the disk when a command says that it is done; staging does not matter. */
const unwritten = (): readonly string[] => {
  const { dir, versionsDir, backupDir, stateDir } = at.site;
  const inodes = [dir, versionsDir, backupDir].filter((folder) => existsSync(folder));
  return inodes.filter((folder) => disk.dirty.has(inodeOf(folder))).concat(existsSync(stateDir) ? [] : ["no state"]);
};
const inodeOf = (path: string): number => lstatSync(path).ino;

describe("what takes its name in a site", () => {
  it("is on the disk before, files and folders alike: a version and a cold copy", async () => {
    await at.bring("install", testBundle(1));
    writeFileSync(join(at.site.stateDir, "volumes", "database", "more"), "x");
    await at.bring("upgrade", testBundle(2));
    expect(disk.lost).toEqual([]);
    const { versionsDir, backupDir } = at.site;
    expect(disk.renames).toEqual(["1", "2"].map((one) => join(versionsDir, one)).toSpliced(2, 0, join(backupDir, "1")));
    expect(unwritten()).toEqual([]);
    expect(readFileSync(join(backupDir, "1", "volumes", "database", "more"), "utf8")).toBe("x");
  });

  it("is on the disk with every folder of its toolkit's runtime", async () => {
    const bundle = await openBundle((await writtenToolkit(await testToolkit()))[0] ?? "");
    disk.dirty.clear();
    const { signal } = new AbortController();
    const staging = { bundle, to: join(at.folder, "staged"), others: [], ownToolkit: undefined, signal };
    await stageFiles(staging);
    await stageRuntime(staging);
    const folders = readdirSync(staging.to, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(folders.map((one) => one.slice(staging.to.length + 1))).toContain("toolkit/runtime/few");
    expect(folders.filter((folder) => disk.dirty.has(inodeOf(folder)))).toEqual([]);
    await bundle.close();
    removeFolders();
  });

  it("has its name on the disk when a way back is done", async () => {
    await at.bring("install", testBundle(1));
    await at.bring("upgrade", testBundle(2));
    await at.back();
    expect(unwritten()).toEqual([]);
    expect(disk.renames.slice(-2)).toEqual([join(at.site.backupDir, "left-3"), at.site.stateDir]);
  });
});
