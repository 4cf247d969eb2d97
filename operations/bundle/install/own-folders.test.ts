import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { takeBack } from "./bring.ts";
import { assertOwnFolders } from "./own-folders.ts";
import type { Site } from "./site.ts";
import { TestSite, testBundle } from "./test-site.ts";

let at: TestSite;
let victim: string;
beforeEach(() => {
  at = new TestSite();
  victim = join(at.folder, "victim");
  mkdirSync(victim, { mode: 0o755 });
  writeFileSync(join(victim, "precious"), "precious");
});
afterEach(() => at.remove());

const refused = expect.objectContaining({ code: "BUNDLE_SITE_FOREIGN" });
const FOLDERS = [
  "dir",
  "trustDir",
  "stagingDir",
  "versionsDir",
  "stateDir",
  "backupDir",
] as const satisfies readonly (keyof Site)[];
const made = (folder: keyof Site): string => {
  mkdirSync(at.site[folder], { recursive: true, mode: 0o755 });
  return at.site[folder];
};

describe("a site's folders", () => {
  it("may be missing, this user's, root's, and open to a group", () => {
    assertOwnFolders(at.site);
    for (const folder of FOLDERS) chmodSync(made(folder), 0o770);
    assertOwnFolders(at.site);
    if (process.getuid?.() === 0) assertOwnFolders(at.site, 4711);
  });

  it.each(FOLDERS)("are refused where %s is a link, of another user, or writable by everybody", (folder) => {
    const path = made(folder);
    chmodSync(path, 0o757);
    expect(() => assertOwnFolders(at.site)).toThrow(refused);
    chmodSync(path, 0o755);
    const root = process.getuid?.() === 0;
    if (root) chownSync(path, 4711, 4711);
    expect(() => assertOwnFolders(at.site, root ? 0 : 4711)).toThrow(refused);
    if (root) assertOwnFolders(at.site, 4711);
    rmSync(path, { recursive: true });
    for (const target of [victim, join(at.folder, "nowhere")]) {
      mkdirSync(join(path, ".."), { recursive: true });
      symlinkSync(target, path);
      expect(() => assertOwnFolders(at.site)).toThrow(refused);
      rmSync(path);
    }
  });
});

describe("a link that somebody planted", () => {
  const untouched = (): void => {
    expect(readdirSync(victim)).toEqual(["precious"]);
    expect(readFileSync(join(victim, "precious"), "utf8")).toBe("precious");
  };

  it.each(FOLDERS)("in place of %s gets nothing of a first install", async (folder) => {
    if (folder !== "dir") mkdirSync(at.site.dir, { mode: 0o755 });
    symlinkSync(victim, at.site[folder]);
    await expect(at.bring("install", testBundle(1))).rejects.toThrow(refused);
    untouched();
    expect(existsSync(at.site.stagingDir)).toBe(folder === "stagingDir");
    expect(at.engine.state().images).toEqual({});
  });

  it.each(["backupDir", "stagingDir"] as const)(
    "in place of %s is not emptied by an upgrade or a rollback",
    async (folder) => {
      await at.bring("install", testBundle(1));
      await at.bring("upgrade", testBundle(2));
      renameSync(at.site[folder], join(at.folder, "aside"));
      symlinkSync(victim, at.site[folder]);
      await expect(at.bring("upgrade", testBundle(3))).rejects.toThrow(refused);
      await expect(at.back()).rejects.toThrow(refused);
      untouched();
      rmSync(at.site[folder]);
      renameSync(join(at.folder, "aside"), at.site[folder]);
      expect(await at.back()).toMatchObject({ version: 1 });
    },
  );

  it("while the lock is taken is found before anything else is done", async () => {
    const lockFile = vi.fn(() => {
      symlinkSync(victim, at.site.backupDir);
      return at.site.lockFile;
    });
    const site = Object.defineProperty({ ...at.site }, "lockFile", { get: lockFile });
    await expect(takeBack({ ...at.asked(), site })).rejects.toThrow(refused);
    expect([lockFile.mock.calls.length, readdirSync(at.site.stagingDir)]).toEqual([1, []]);
    untouched();
  });
});
